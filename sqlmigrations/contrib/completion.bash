# Completion for manage.py in bash. Read it from ~/.bashrc:
#
#     . "$(python -c 'import sqlmigrations.contrib; print(*sqlmigrations.contrib.__path__)')/completion.bash"
#
# Commands and flags are those that Django tells when DJANGO_AUTO_COMPLETE is set. The names of SQL files come from the
# folders called migrations_sql below the current one: no database is asked.

# Writes the names of the SQL files; those of an app have its folder's name in front.
_sqlmigrations_names() {
    local path folder name
    find . -maxdepth 8 -name '.?*' -prune -o -name node_modules -prune -o \
        -path '*/migrations_sql/*' -name '*.sql' ! -name '*.down.sql' ! -name '*.verify.sql' -print 2>/dev/null |
        while IFS= read -r path; do
            folder=${path%/migrations_sql/*}
            name=${path##*/migrations_sql/}
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
    local program=("${COMP_WORDS[0]}") words=("${COMP_WORDS[@]}") position=$COMP_CWORD
    COMPREPLY=()
    if [[ ${words[0]##*/} == python* ]]; then
        # Whatever else Python runs is completed as a file.
        [[ ${words[1]##*/} == manage.py && $position -gt 1 ]] || return 0
        program+=("${words[1]}")
        words=("${words[@]:1}")
        position=$((position - 1))
    fi
    local word=${words[position]} before=${words[position - 1]}
    # "--to=001" is three words: the flag, "=", the name.
    if [[ $word == "=" ]]; then
        word=""
    elif [[ $before == "=" ]]; then
        before=${words[position - 2]}
    fi
    if _sqlmigrations_wants_name "${words[1]}" "$before" "$word"; then
        local seeds=--invert-match
        if [[ $before == --seed ]]; then
            seeds=
        fi
        COMPREPLY=($(compgen -W "$(_sqlmigrations_names | grep $seeds -E '(^|/)seed/')" -- "$word"))
        return 0
    fi
    COMPREPLY=($(COMP_WORDS="${words[*]}" COMP_CWORD=$position DJANGO_AUTO_COMPLETE=1 "${program[@]}" 2>/dev/null))
    # What comes behind "=" follows at once.
    if [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}

complete -o default -F _sqlmigrations manage.py django-admin python python3
