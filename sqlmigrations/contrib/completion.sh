# Completion for manage.py in bash and zsh. Read it from ~/.bashrc, or from ~/.zshrc behind compinit:
#
#     . "$(python -c 'import sqlmigrations.contrib; print(*sqlmigrations.contrib.__path__)')/completion.sh"
#
# Commands and flags are those that Django tells when DJANGO_AUTO_COMPLETE is set. The names of SQL files come from the
# folders called migrations_sql below the current one: no database is asked.

# Writes the names of the SQL files; those of an app have its folder's name in front.
_sqlmigrations_names() {
    local file folder name
    find . -maxdepth 8 -name '.?*' -prune -o -name node_modules -prune -o \
        -path '*/migrations_sql/*' -name '*.sql' ! -name '*.down.sql' ! -name '*.verify.sql' -print 2>/dev/null |
        while IFS= read -r file; do
            folder=${file%/migrations_sql/*}
            name=${file##*/migrations_sql/}
            if [ -e "$folder/__init__.py" ]; then
                name=${folder##*/}/$name
            fi
            printf '%s\n' "$name"
        done | sort -u
}

# Whether a NAME belongs here: command, the flag before this word, this word.
_sqlmigrations_wants_name() {
    case $1:$2 in
        applysql:--to | applysql:--baseline | applysql:--seed | revertsql:--to) return 0 ;;
        *:--verbosity | *:-v | *:--settings | *:--pythonpath) return 1 ;;
        applysql:--database | applysql:--format | applysql:--reason | applysql:--adopt | applysql:--jobs) return 1 ;;
        applysql:--lock-wait | applysql:--max-block-ms | applysql:--max-lock | applysql:--resume-at) return 1 ;;
        revertsql:--database | revertsql:--format | revertsql:--last | revertsql:--lock-wait) return 1 ;;
        applysql:* | revertsql:*) [ "${3#-}" = "$3" ] ;;
        *) return 1 ;;
    esac
}

_sqlmigrations() {
    # So that zsh counts and splits words as bash does.
    [[ -z ${ZSH_VERSION-} ]] || emulate -L ksh
    local program line position=$COMP_CWORD
    program=("${COMP_WORDS[0]}")
    line=("${COMP_WORDS[@]}")
    COMPREPLY=()
    if [[ ${line[0]##*/} == python* ]]; then
        # Whatever else Python runs is completed as a file.
        [[ ${line[1]##*/} == manage.py && $position -gt 1 ]] || return 0
        program+=("${line[1]}")
        line=("${line[@]:1}")
        position=$((position - 1))
    fi
    local word=${line[position]} before=${line[position - 1]} flag=""
    # "--to=001" is three words to bash: the flag, "=", the name. To zsh it is one.
    if [[ $word == "=" ]]; then
        word=""
    elif [[ $before == "=" ]]; then
        before=${line[position - 2]}
    elif [[ $word == --*=* ]]; then
        before=${word%%=*}
        flag=$before=
        word=${word#*=}
    fi
    if _sqlmigrations_wants_name "${line[1]}" "$before" "$word"; then
        local seeds=--invert-match
        if [[ $before == --seed ]]; then
            seeds=
        fi
        COMPREPLY=($(compgen -W "$(_sqlmigrations_names | grep $seeds -E '(^|/)seed/')" -- "$word"))
        COMPREPLY=("${COMPREPLY[@]/#/$flag}")
        return 0
    fi
    COMPREPLY=($(env COMP_WORDS="${line[*]}" COMP_CWORD=$position DJANGO_AUTO_COMPLETE=1 "${program[@]}" 2>/dev/null))
    if [[ -n ${ZSH_VERSION-} ]]; then
        # It puts a space behind each answer.
        COMPREPLY=("${COMPREPLY[@]%=}")
    elif [[ ${COMPREPLY[0]} == *= ]]; then
        # What comes behind "=" follows at once.
        compopt -o nospace 2>/dev/null
    fi
    return 0
}

if [[ -n ${ZSH_VERSION-} ]]; then
    autoload -Uz bashcompinit && bashcompinit
fi
complete -o default -F _sqlmigrations manage.py django-admin python python3
