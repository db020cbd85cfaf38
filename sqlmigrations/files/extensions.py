"""What the best known extensions make, so that a file that uses it is known to need the one with CREATE EXTENSION."""

from __future__ import annotations

#: Names that an extension makes; ``*`` at the end stands for any ending. ``gist`` and ``gin`` are index methods: their
#: extensions add operators that are used without being named.
MADE_BY: dict[str, str] = {
    "btree_gin": "gin",
    "btree_gist": "gist",
    "citext": "citext* regexp_*",
    "cube": "cube*",
    "dblink": "dblink*",
    "earthdistance": "earth* ll_to_earth latitude longitude",
    "file_fdw": "file_fdw*",
    "fuzzystrmatch": "levenshtein* soundex difference metaphone dmetaphone* daitch_mokotoff",
    "hstore": "hstore* akeys avals skeys svals each slice delete exist exists_any exists_all gin_hstore_ops",
    "intarray": "query_int gin__int_ops gist__int* idx icount sort* uniq subarray",
    "isn": "isbn* issn* ismn* ean13* upc*",
    "ltree": "ltree* lquery* ltxtquery* subltree subpath nlevel lca text2ltree",
    "pg_cron": "cron.*",
    "pg_stat_statements": "pg_stat_statements*",
    "pg_trgm": "gin_trgm_ops gist_trgm_ops similarity* word_similarity* strict_word_similarity* show_trgm set_limit",
    "pgcrypto": "crypt gen_salt digest hmac encrypt* decrypt* pgp_* armor dearmor gen_random_bytes gen_random_uuid",
    "pgrowlocks": "pgrowlocks",
    "pgstattuple": "pgstat* pg_relpages",
    "plpgsql": "",
    "postgis": "st_* geometry* geography* box2d box3d raster* spatial_ref_sys postgis_*",
    "postgres_fdw": "postgres_fdw*",
    "seg": "seg*",
    "tablefunc": "crosstab* connectby normal_rand tablefunc_*",
    "timescaledb": "create_hypertable add_* remove_* time_bucket* timescaledb_*",
    "tsm_system_rows": "system_rows",
    "tsm_system_time": "system_time",
    "unaccent": "unaccent*",
    "uuid-ossp": "uuid_generate_* uuid_nil uuid_ns_*",
    "vector": "vector* halfvec* sparsevec* hnsw ivfflat l2_distance cosine_distance inner_product l1_distance",
    "xml2": "xml_* xpath_* xslt_process",
}
