--
-- PostgreSQL database dump
--

\restrict 66ook3tHMCxGlNaeu7kctbMu4lxtxjoF9ZLaCG3o0z0d2t6efry4cz2XT1f7vSw

-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: app; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA app;


ALTER SCHEMA app OWNER TO postgres;

--
-- Name: refuse(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;


ALTER FUNCTION app.refuse() OWNER TO postgres;

--
-- Name: two(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.two() RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT 1;
 SELECT 2;
END;


ALTER FUNCTION app.two() OWNER TO postgres;

--
-- Name: numbers; Type: SEQUENCE; Schema: app; Owner: postgres
--

CREATE SEQUENCE app.numbers
    START WITH 42
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE app.numbers OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: odd; "name; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app."odd; ""name" (
    "tab	column" text,
    "select" integer
);


ALTER TABLE app."odd; ""name" OWNER TO postgres;

--
-- Name: values; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app."values" (
    id bigint NOT NULL,
    made timestamp with time zone,
    tags text[],
    more jsonb,
    span int4range,
    ratio double precision,
    twice numeric GENERATED ALWAYS AS ((ratio * (2)::double precision)) STORED
);


ALTER TABLE app."values" OWNER TO postgres;

--
-- Name: values_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app."values" ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME app.values_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: bytes; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.bytes (
    id integer NOT NULL,
    content bytea
);


ALTER TABLE public.bytes OWNER TO postgres;

--
-- Name: children; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.children (
    id integer NOT NULL,
    parent integer
);


ALTER TABLE public.children OWNER TO postgres;

--
-- Name: texts; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.texts (
    id integer NOT NULL,
    body text,
    note character varying(40) DEFAULT 'it''s'::character varying
);


ALTER TABLE public.texts OWNER TO postgres;

--
-- Name: counted; Type: MATERIALIZED VIEW; Schema: public; Owner: postgres
--

CREATE MATERIALIZED VIEW public.counted AS
 SELECT count(*) AS texts
   FROM public.texts
  WITH NO DATA;


ALTER MATERIALIZED VIEW public.counted OWNER TO postgres;

--
-- Name: empty; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.empty (
    id integer,
    body text
);


ALTER TABLE public.empty OWNER TO postgres;

--
-- Name: lists; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.lists (
    line text,
    price numeric(12,2)
);


ALTER TABLE public.lists OWNER TO postgres;

--
-- Name: longest; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.longest AS
 SELECT id,
    length(body) AS length
   FROM public.texts
  ORDER BY (length(body)) DESC;


ALTER VIEW public.longest OWNER TO postgres;

--
-- Name: nothing; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.nothing (
);


ALTER TABLE public.nothing OWNER TO postgres;

--
-- Name: parted; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.parted (
    id integer,
    region text
)
PARTITION BY LIST (region);


ALTER TABLE public.parted OWNER TO postgres;

--
-- Name: parted_eu; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.parted_eu (
    id integer,
    region text
);


ALTER TABLE public.parted_eu OWNER TO postgres;

--
-- Name: parted_rest; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.parted_rest (
    id integer,
    region text
);


ALTER TABLE public.parted_rest OWNER TO postgres;

--
-- Name: parted_eu; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.parted ATTACH PARTITION public.parted_eu FOR VALUES IN ('eu');


--
-- Name: parted_rest; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.parted ATTACH PARTITION public.parted_rest DEFAULT;


--
-- Data for Name: odd; "name; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app."odd; ""name" ("tab	column", "select") FROM stdin;
x	1
\.


--
-- Data for Name: values; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app."values" (id, made, tags, more, span, ratio) FROM stdin;
1	2026-01-01 00:00:00+00	{"a,b","c\\"d",NULL,"e\\\\f",""}	{"a\\\\tb": "it's é\\n"}	[1,5)	0.1
2	infinity	{}	null	empty	NaN
3	\N	\N	\N	\N	\N
\.


--
-- Data for Name: bytes; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.bytes (id, content) FROM stdin;
1	\\x00ff5c2e0a0d09
2	\\x
3	\N
4	\\x5c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c005c00
\.


--
-- Data for Name: children; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.children (id, parent) FROM stdin;
1	1
2	\N
\.


--
-- Data for Name: empty; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.empty (id, body) FROM stdin;
\.


--
-- Data for Name: lists; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.lists (line, price) FROM stdin;
"a","b;c",,"d ""e"""	12.50
a,b\n"c"	\N
,,,	NaN
\.


--
-- Data for Name: nothing; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.nothing  FROM stdin;

\.


--
-- Data for Name: parted_eu; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.parted_eu (id, region) FROM stdin;
1	eu
\.


--
-- Data for Name: parted_rest; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.parted_rest (id, region) FROM stdin;
2	us
3	\N
\.


--
-- Data for Name: texts; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.texts (id, body, note) FROM stdin;
1	\N	\N
2		
3	tab\there	line\nbreak
4	\\	\\\\
5	\\.	\\N
6	\r	carriage\r\nreturn
7	é€😀	日本
8	$$ $a$ 'quotes' "names"	-- ; /* no comment
9	\b\f\v	\\t is no tab
10	\\.\n\\.	a\\\n.
11	long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long 	long
\.


--
-- Name: numbers; Type: SEQUENCE SET; Schema: app; Owner: postgres
--

SELECT pg_catalog.setval('app.numbers', 42, true);


--
-- Name: values_id_seq; Type: SEQUENCE SET; Schema: app; Owner: postgres
--

SELECT pg_catalog.setval('app.values_id_seq', 3, true);


--
-- Name: bytes bytes_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.bytes
    ADD CONSTRAINT bytes_pkey PRIMARY KEY (id);


--
-- Name: children children_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.children
    ADD CONSTRAINT children_pkey PRIMARY KEY (id);


--
-- Name: texts texts_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.texts
    ADD CONSTRAINT texts_pkey PRIMARY KEY (id);


--
-- Name: empty refuse; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER refuse BEFORE INSERT ON public.empty FOR EACH ROW EXECUTE FUNCTION app.refuse();


--
-- Name: children children_parent_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.children
    ADD CONSTRAINT children_parent_fkey FOREIGN KEY (parent) REFERENCES public.texts(id);


--
-- Name: counted; Type: MATERIALIZED VIEW DATA; Schema: public; Owner: postgres
--

REFRESH MATERIALIZED VIEW public.counted;


--
-- PostgreSQL database dump complete
--

\unrestrict 66ook3tHMCxGlNaeu7kctbMu4lxtxjoF9ZLaCG3o0z0d2t6efry4cz2XT1f7vSw

