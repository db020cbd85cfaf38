"""What is read from the words of a message, in the languages that PostgreSQL speaks.

The words are those of the catalogs of translations that come with PostgreSQL 15; no server of the tests has a locale
for them.
"""

from __future__ import annotations

import pytest

from sqlmigrations.runner.server_words import last_name, line_of_block, line_of_copy_data


@pytest.mark.parametrize(
    "context",
    [
        "PL/pgSQL function inline_code_block line 12 at RAISE",
        "PL/pgSQL funkce inline_code_block řádek 12 na RAISE",
        "PL/pgSQL-Funktion inline_code_block Zeile 12 bei RAISE",
        "PL/pgSQL-Funktion inline_code_block Zeile 12 bei SQL-Anweisung",
        "συνάρτηση PL/pgSQL inline_code_block γραμμή 12 στο RAISE",
        "función PL/pgSQL inline_code_block en la línea 12 en RAISE",
        "fonction PL/pgSQL inline_code_block, ligne 12 à RAISE",
        "funzione PL/pgSQL inline_code_block riga 12 a RAISE",
        "PL/pgSQL関数inline_code_blockの12行目 - RAISE",
        'PL/pgSQL 함수 "inline_code_block" 의 12번째 RAISE',
        "funkcja PL/pgSQL inline_code_block, wiersz 12 w RAISE",
        "função PL/pgSQL inline_code_block linha 12 em RAISE",
        "функция PL/pgSQL inline_code_block, строка 12, оператор RAISE",
        "PL/pgSQL-funktion inline_code_block rad 12 vid RAISE",
        "inline_code_block PL/pgSQL fonksiyonu, 12. sat\N{LATIN SMALL LETTER DOTLESS I}r, RAISE içinde",
        "Функція PL/pgSQL inline_code_block рядок 12 в RAISE",
        "在RAISE的第12行的PL/pgSQL函数inline_code_block",
        "PL/pgSQL-Funktion f2(integer) Zeile 3 bei RAISE\nSQL-Anweisung »SELECT f2(4)«\n"
        "PL/pgSQL-Funktion inline_code_block Zeile 12 bei PERFORM",
    ],
)
def test_line_of_a_do_block(context: str) -> None:
    assert line_of_block(context) == 12


@pytest.mark.parametrize("context", ["", "PL/pgSQL-Funktion f2() Zeile 3 bei RAISE", "PL/pgSQL inline_code_block"])
def test_no_line_of_a_do_block(context: str) -> None:
    assert line_of_block(context) is None


@pytest.mark.parametrize(
    "context",
    [
        'COPY t2, line 12, column i: "3"',
        "COPY t2, Zeile 12, Spalte i: »3«",
        "COPY t2, línea 12, columna i: «3»",
        "COPY t2, ligne 12",
        'COPY t2, riga 12, colonna i: "3"',
        't2のCOPY、行 12、列 i: "3"',
        't2 복사, 12번째 줄, i 열: "3"',
        'COPY t2, строка 12, столбец i: "3"',
        'COPY t2, rad 12, kolumn i: "3"\nnext, 3',
    ],
)
def test_line_of_copy_data(context: str) -> None:
    assert line_of_copy_data(context) == 12


@pytest.mark.parametrize(
    "context",
    [
        "",
        "COPY t2",
        "fonction PL/pgSQL f2(), ligne 3 à RAISE\nCOPY t2, ligne 12",
        "PL/pgSQL function f2() line 3 at RAISE\nCOPY t2, line 12",
    ],
)
def test_no_line_of_copy_data(context: str) -> None:
    assert line_of_copy_data(context) is None


@pytest.mark.parametrize(
    "message",
    [
        'relation "app.a b" does not exist',
        "Relation »app.a b« existiert nicht",
        "no existe la relación «app.a b»",
        "la relation «\N{NO-BREAK SPACE}app.a b\N{NO-BREAK SPACE}» n'existe pas",
        'リレーション"app.a b"は存在しません',
        '"app.a b" 이름의 릴레이션(relation)이 없습니다',
        'отношение "app.a b" не существует',
        "Spalte »x« von Relation »app.a b« existiert nicht",
    ],
)
def test_last_name(message: str) -> None:
    assert last_name(message) == "app.a b"


def test_no_name() -> None:
    assert last_name("Division durch Null") is None
