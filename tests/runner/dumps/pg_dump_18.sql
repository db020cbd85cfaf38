--
-- PostgreSQL database dump
--

\restrict MbyZT57ZfB24bb1MCjQ3cMV2k97Qn0HeM6Gd3aunXDvswVeEa0i7QDY0bi4HIqZ

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
-- Name: app; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA app;


--
-- Name: touch(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
BEGIN
    NEW.name := coalesce(NEW.name, 'nobody; $body$ -- no comment');
    RETURN NEW;
END
$_$;


--
-- Name: two(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.two() RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT 1;
 SELECT 2;
END;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: posts; Type: TABLE; Schema: app; Owner: -
--

CREATE TABLE app.posts (
    id integer NOT NULL,
    author integer,
    body text
);


--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id integer NOT NULL,
    name text DEFAULT 'it''s'::text
);


--
-- Name: TABLE users; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.users IS 'who''s who; -- really';


--
-- Name: named; Type: VIEW; Schema: app; Owner: -
--

CREATE VIEW app.named AS
 SELECT p.id,
    u.name
   FROM (app.posts p
     JOIN public.users u ON ((u.id = p.author)));


--
-- Name: posts_id_seq; Type: SEQUENCE; Schema: app; Owner: -
--

ALTER TABLE app.posts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME app.posts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Data for Name: posts; Type: TABLE DATA; Schema: app; Owner: -
--

COPY app.posts (id, author, body) FROM stdin;
1	1	x;y
2	2	\N
3	4	\\.
\.


--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.users (id, name) FROM stdin;
1	tab\there
2	back\\slash
3	line\nbreak
4	é€😀
\.


--
-- Name: posts_id_seq; Type: SEQUENCE SET; Schema: app; Owner: -
--

SELECT pg_catalog.setval('app.posts_id_seq', 3, true);


--
-- Name: posts posts_pkey; Type: CONSTRAINT; Schema: app; Owner: -
--

ALTER TABLE ONLY app.posts
    ADD CONSTRAINT posts_pkey PRIMARY KEY (id);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: users touch; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER touch BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION public.touch();


--
-- Name: posts posts_author_fkey; Type: FK CONSTRAINT; Schema: app; Owner: -
--

ALTER TABLE ONLY app.posts
    ADD CONSTRAINT posts_author_fkey FOREIGN KEY (author) REFERENCES public.users(id);


--
-- PostgreSQL database dump complete
--

\unrestrict MbyZT57ZfB24bb1MCjQ3cMV2k97Qn0HeM6Gd3aunXDvswVeEa0i7QDY0bi4HIqZ

