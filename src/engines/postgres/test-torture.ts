import { identifier } from './quoting.js'

/** For tests only: the kinds of objects and types of PostgreSQL 15 that applications use less, each at least once. */

/** @param role a role, quoted for SQL */
export const rareObjects = (role: string): string => `
CREATE SCHEMA rare;
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
CREATE FUNCTION rare.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION rare.inline(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION rare.validator(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE plpgsql_again HANDLER rare.handler INLINE rare.inline VALIDATOR rare.validator;
CREATE EXTENSION hstore SCHEMA public;
CREATE EXTENSION btree_gist;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION pg_trgm;
COMMENT ON EXTENSION pg_trgm IS 'my own words';

CREATE TYPE rare.address AS (street text COLLATE "C", lines text[], place point);
CREATE TYPE rare.person AS (name text, home rare.address, others rare.address[]);
CREATE TYPE rare.span AS RANGE (subtype = timestamptz, multirange_type_name = rare.spans);
CREATE DOMAIN rare.tags AS text[] NOT NULL DEFAULT '{}' CONSTRAINT few CHECK (cardinality(VALUE) < 10);
CREATE DOMAIN rare.grid AS rare.tags CONSTRAINT "no ""x""" CHECK (array_position(VALUE, 'x') IS NULL);
CREATE TYPE rare.empty_enum AS ENUM ();
CREATE TYPE rare.shell;
CREATE TYPE rare.base;
CREATE FUNCTION rare.base_in(cstring) RETURNS rare.base LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION rare.base_out(rare.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE rare.base (INPUT = rare.base_in, OUTPUT = rare.base_out, LIKE = int4, CATEGORY = 'N', DEFAULT = '7');
CREATE COLLATION rare.insensitive (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE CONVERSION rare.again FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

CREATE FUNCTION rare.everything(IN a int, b text DEFAULT 'it''s $$', VARIADIC rest int[] DEFAULT ARRAY[1, 2]) RETURNS TABLE (x int, "Y z" text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 77 ROWS 3 SECURITY DEFINER SET search_path = rare, pg_temp SET "my.setting" = 'a, b'
  AS $_$ BEGIN RETURN QUERY SELECT a, $q$ $$ '\\ $1 $q$ || b; END $_$;
CREATE FUNCTION rare.polymorphic(anyelement, anyarray) RETURNS anyelement LANGUAGE sql LEAKPROOF IMMUTABLE STRICT AS 'SELECT $1';
CREATE FUNCTION rare.standard(a int) RETURNS SETOF int BEGIN ATOMIC SELECT a UNION ALL SELECT a + 1 ORDER BY 1; END;
CREATE FUNCTION rare.ranked() RETURNS int LANGUAGE internal WINDOW AS 'window_rank';
CREATE PROCEDURE rare.inout(INOUT a int, OUT b text) LANGUAGE plpgsql_again AS 'BEGIN b := a; COMMIT; END';
CREATE FUNCTION rare.compare(rare.address, rare.address) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btrecordcmp($1, $2)';
CREATE FUNCTION rare.less(rare.address, rare.address) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT rare.compare($1, $2) < 0';
CREATE FUNCTION rare.more(rare.address, rare.address) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT rare.compare($1, $2) > 0';
CREATE OPERATOR rare.<# (LEFTARG = rare.address, RIGHTARG = rare.address, FUNCTION = rare.less, COMMUTATOR = OPERATOR(rare.>#), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR rare.># (LEFTARG = rare.address, RIGHTARG = rare.address, FUNCTION = rare.more, COMMUTATOR = OPERATOR(rare.<#));
CREATE FUNCTION rare.negated(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT -$1';
CREATE OPERATOR rare.!~~! (RIGHTARG = int, FUNCTION = rare.negated);
CREATE OPERATOR FAMILY rare.ordered USING btree;
CREATE OPERATOR CLASS rare.backwards FOR TYPE int USING btree FAMILY rare.ordered AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(int, int);
CREATE FUNCTION rare.to_address(text) RETURNS rare.address LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1, NULL, NULL)::rare.address';
CREATE CAST (text AS rare.address) WITH FUNCTION rare.to_address AS ASSIGNMENT;
CREATE CAST (rare.base AS int) WITHOUT FUNCTION AS IMPLICIT;
CREATE AGGREGATE rare.joined(ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = mode_final, FINALFUNC_EXTRA);
CREATE AGGREGATE rare.moving(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', COMBINEFUNC = int4pl, MSFUNC = int4pl, MINVFUNC = int4mi,
  MSTYPE = int, MINITCOND = '0', PARALLEL = SAFE);
CREATE AGGREGATE rare.smallest(int) (SFUNC = int4smaller, STYPE = int, SORTOP = <);

CREATE TEXT SEARCH TEMPLATE rare.template (LEXIZE = dsimple_lexize, INIT = dsimple_init);
CREATE TEXT SEARCH DICTIONARY rare.words (TEMPLATE = rare.template, STOPWORDS = english, ACCEPT = false);
CREATE TEXT SEARCH PARSER rare.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH CONFIGURATION rare.search (PARSER = rare.parser);
ALTER TEXT SEARCH CONFIGURATION rare.search ADD MAPPING FOR asciiword, word WITH rare.words, simple;

CREATE FOREIGN DATA WRAPPER handless OPTIONS (debug 'it''s on');
CREATE SERVER elsewhere TYPE 'odd' VERSION '1.0' FOREIGN DATA WRAPPER handless OPTIONS (host 'nowhere', "odd ""name""" 'x');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (password 'not a secret');
CREATE USER MAPPING FOR ${role} SERVER elsewhere;
CREATE SERVER real_wrapper FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x');
CREATE FOREIGN TABLE rare.far (id int OPTIONS (column_name 'ID') NOT NULL, t text DEFAULT 'x', CHECK (id > 0)) SERVER real_wrapper OPTIONS (table_name 'far.away');
GRANT USAGE ON FOREIGN SERVER elsewhere TO ${role};
GRANT USAGE ON FOREIGN DATA WRAPPER handless TO ${role} WITH GRANT OPTION;

CREATE TABLE rare.types (
  "char" "char", c char(5), vc varchar(7), nm name, i2 int2, bo boolean, bi bit(3), ti time(3), tt timetz, pt point, ln line, ls lseg, bx box,
  pa path, po polygon, ci circle, cd cidr, m8 macaddr8, tq tsquery, jp jsonpath, li pg_lsn, sn pg_snapshot, x8 xid8, td tid, xi xid, o oid, rc regclass,
  rp regproc, rt regtype, ro regrole, rn regnamespace, ov oidvector, iv int2vector, cu refcursor, r4 int4range, r8 int8range, rnum numrange, rts tsrange,
  rtz tstzrange, rd daterange, m4 int4multirange, mtz tstzmultirange, p rare.person, g rare.grid, s rare.span, ss rare.spans, b rare.base, hs public.hstore,
  ivd interval day to second(2), nu numeric(5, -2), arr rare.person[], tst timestamp(0)[]);
INSERT INTO rare.types VALUES
  ('x', 'a', 'a  ', 'n', -32768, true, B'101', '24:00', '23:59:59.999999-15:59', '(NaN,-Infinity)', '{1,2,3}', '[(0,0),(1,1e-300)]', '(1,1),(0,0)',
   '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(0,0),1>', '10/8', '08:00:2b:01:02:03:04:05', '!a:*AB & (b <-> ''c d'')', '$.a[*] ? (@.b > 1)', '16/B374D848', '10:20:10,14,15',
   '18446744073709551615', '(4294967294,65535)', '4294967295', 4294967295, 'rare.far', 'now', 'rare.person[]', 'pg_monitor', 'rare', '1 2', '-1 2', 'c',
   '[1,5)', '(,5)', '[1.5,1.5]', '["-infinity",)', '(2020-01-01,2021-01-01]', '[,]', '{[1,2),[5,)}', '{}', '("a ""q""","(b,{c},""(1,2)"")",)', '{a,b}',
   '[2020-01-01Z,)', '{[2020-01-01Z,2021-01-01Z)}', '12', '"a b"=>NULL,c=>"d\\\\"', '1 12:30:15.129', 12345, ARRAY[NULL, ROW('x', NULL, '{}')::rare.person], '{2020-01-01 00:00:00.6,infinity}');
INSERT INTO rare.types DEFAULT VALUES;

CREATE TABLE rare.of_type OF rare.address (street WITH OPTIONS NOT NULL DEFAULT 'main', PRIMARY KEY (street)) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = off);
CREATE TABLE rare.again (i int GENERATED ALWAYS AS IDENTITY (CYCLE MAXVALUE 100), t text COMPRESSION pglz, UNIQUE NULLS NOT DISTINCT (i, t),
  CONSTRAINT apart EXCLUDE USING gist (i WITH =, int4range(i, i + 5) WITH &&) INCLUDE (t) WHERE (i > 0) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT own CHECK (i <> 13) NO INHERIT) USING heap_again;
ALTER TABLE rare.again ALTER t SET (n_distinct = -0.5), ALTER t SET STORAGE MAIN, REPLICA IDENTITY FULL;
INSERT INTO rare.again (t) VALUES ('a'), (NULL), (repeat('long ', 10000));
CREATE UNIQUE INDEX covered ON rare.again USING btree (t COLLATE "C" text_pattern_ops DESC NULLS LAST, (i * 2) rare.backwards) INCLUDE (i) WITH (fillfactor = 80, deduplicate_items = off) WHERE t LIKE 'a%';
CREATE INDEX ON rare.again USING hash (t);
CREATE INDEX ON rare.again USING gin (t public.gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX ON rare.again USING brin (i int4_minmax_multi_ops) WITH (pages_per_range = 2);
CREATE INDEX ON rare.types USING spgist (pt);
CREATE INDEX ON rare.types USING gin (hs);
ALTER INDEX rare.covered ALTER COLUMN 2 SET STATISTICS 99;
CREATE TABLE rare.clustered (id int NOT NULL, k text);
CREATE UNIQUE INDEX clustered_id ON rare.clustered (id);
ALTER TABLE rare.clustered CLUSTER ON clustered_id, REPLICA IDENTITY USING INDEX clustered_id;
CREATE STATISTICS rare.more_of ON (lower(t)), (i % 10) FROM rare.again;
CREATE STATISTICS rare.most_common (mcv) ON id, k FROM rare.clustered;
ALTER STATISTICS rare.most_common SET STATISTICS 321;
CREATE UNLOGGED SEQUENCE rare.fleeting AS smallint INCREMENT 3 CACHE 5;
CREATE SEQUENCE rare.owned OWNED BY rare.clustered.id;
ALTER TABLE rare.clustered ALTER id SET DEFAULT nextval('rare.owned');
INSERT INTO rare.clustered (k) SELECT 'k' || i FROM generate_series(1, 10) i;

CREATE FUNCTION rare.noted() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN COALESCE(NEW, OLD); END $f$;
CREATE VIEW rare.shown (one, "t.w.o") WITH (security_invoker, security_barrier, check_option = local) AS SELECT id, k FROM rare.clustered WHERE id > 0;
ALTER VIEW rare.shown ALTER one SET DEFAULT 5;
CREATE TRIGGER instead INSTEAD OF INSERT OR DELETE ON rare.shown FOR EACH ROW EXECUTE FUNCTION rare.noted('a''b', E'\\\\ x');
CREATE TRIGGER transition AFTER UPDATE ON rare.clustered REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION rare.noted();
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE OF k ON rare.clustered FROM rare.again DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rare.noted();
ALTER TABLE rare.clustered ENABLE ALWAYS TRIGGER transition;
ALTER TABLE rare.clustered ENABLE REPLICA TRIGGER late;
CREATE RULE also AS ON UPDATE TO rare.clustered DO ALSO NOTIFY "odd channel";
CREATE RULE written AS ON INSERT TO rare.of_type DO INSTEAD INSERT INTO rare.clustered (k) VALUES (NEW.street) RETURNING k, NULL::text[], NULL::point;
ALTER TABLE rare.of_type DISABLE RULE written;
CREATE RECURSIVE VIEW rare.counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
CREATE TABLE rare.parted (id int, at timestamptz, t text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at, id);
CREATE TABLE rare.parted_1 (extra_gone int, t text, at timestamptz NOT NULL, id int NOT NULL);
ALTER TABLE rare.parted_1 DROP COLUMN extra_gone;
ALTER TABLE rare.parted ATTACH PARTITION rare.parted_1 FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2020-01-01Z', 10);
CREATE TABLE rare.sharded (i int) PARTITION BY LIST (i);
CREATE FOREIGN TABLE rare.sharded_far PARTITION OF rare.sharded FOR VALUES IN (1, NULL) SERVER real_wrapper;
CREATE INDEX ON ONLY rare.parted (t);
CREATE TABLE rare.refers (a int, b timestamptz, FOREIGN KEY (a, b) REFERENCES rare.parted MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL (a, b));
CREATE TRIGGER cloned AFTER INSERT ON rare.clustered FOR EACH ROW EXECUTE FUNCTION rare.noted();
INSERT INTO rare.parted VALUES (1, '2019-01-01Z', 'x'), (2, '2019-06-01Z', NULL);
INSERT INTO rare.refers VALUES (1, '2019-01-01Z'), (NULL, NULL);

ALTER TABLE rare.clustered ENABLE ROW LEVEL SECURITY;
ALTER TABLE rare.again FORCE ROW LEVEL SECURITY;
CREATE POLICY narrowed ON rare.clustered AS RESTRICTIVE FOR ALL TO ${role} USING (id < 100) WITH CHECK (k <> 'x');
CREATE PUBLICATION whole FOR ALL TABLES WITH (publish = 'truncate', publish_via_partition_root);
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA rare;
ALTER DEFAULT PRIVILEGES FOR ROLE ${role} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA rare GRANT USAGE ON TYPES TO ${role} WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE ${role} GRANT ALL ON SEQUENCES TO PUBLIC;
REVOKE ALL ON FUNCTION rare.everything FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rare.everything TO ${role};
REVOKE USAGE ON TYPE rare.person FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql_again FROM PUBLIC;
GRANT SELECT (id), INSERT (k), REFERENCES (id) ON rare.clustered TO ${role};
REVOKE SELECT ON pg_catalog.pg_proc FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_proc TO PUBLIC;
ALTER FUNCTION rare.standard OWNER TO ${role};
ALTER TYPE rare.empty_enum OWNER TO ${role};
ALTER SERVER elsewhere OWNER TO ${role};

COMMENT ON ACCESS METHOD heap_again IS 'm'; COMMENT ON LANGUAGE plpgsql_again IS 'l'; COMMENT ON TYPE rare.person IS 't'; COMMENT ON COLUMN rare.person.home IS 'c';
COMMENT ON DOMAIN rare.grid IS 'd'; COMMENT ON CONSTRAINT few ON DOMAIN rare.tags IS 'dc'; COMMENT ON COLLATION rare.insensitive IS 'co'; COMMENT ON CONVERSION rare.again IS 'cv';
COMMENT ON FUNCTION rare.standard IS 'f'; COMMENT ON PROCEDURE rare.inout IS 'p'; COMMENT ON AGGREGATE rare.moving(int) IS 'a'; COMMENT ON OPERATOR rare.!~~! (NONE, int) IS 'o';
COMMENT ON OPERATOR CLASS rare.backwards USING btree IS 'oc'; COMMENT ON OPERATOR FAMILY rare.ordered USING btree IS 'of'; COMMENT ON CAST (text AS rare.address) IS 'ca';
COMMENT ON TEXT SEARCH CONFIGURATION rare.search IS 'tc'; COMMENT ON TEXT SEARCH DICTIONARY rare.words IS 'td'; COMMENT ON TEXT SEARCH PARSER rare.parser IS 'tp';
COMMENT ON TEXT SEARCH TEMPLATE rare.template IS 'tt'; COMMENT ON FOREIGN DATA WRAPPER handless IS 'w'; COMMENT ON SERVER elsewhere IS 's'; COMMENT ON FOREIGN TABLE rare.far IS 'ft';
COMMENT ON INDEX rare.covered IS E'i\\n-- \\\\connect x'; COMMENT ON CONSTRAINT apart ON rare.again IS 'k'; COMMENT ON STATISTICS rare.more_of IS 'st'; COMMENT ON SEQUENCE rare.owned IS 'sq';
COMMENT ON VIEW rare.shown IS 'v'; COMMENT ON COLUMN rare.shown."t.w.o" IS 'vc'; COMMENT ON TRIGGER late ON rare.clustered IS 'tr'; COMMENT ON RULE also ON rare.clustered IS 'r';
COMMENT ON POLICY narrowed ON rare.clustered IS 'po'; COMMENT ON PUBLICATION whole IS 'pu'; COMMENT ON EVENT TRIGGER auditing IS 'e';
`

const oddSchema = `-s"c.h%e'm a`

/**
 * What people do have, and dump tools have lost.
 * @param role as an identifier
 * @param suffix of names that belong to the whole server
 */
export const tortureObjects = (role: string, suffix: string): string => `
SET client_min_messages = warning;
CREATE SCHEMA ${identifier(oddSchema)};
CREATE SCHEMA mine AUTHORIZATION ${role};
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "good"');
ALTER TYPE mood ADD VALUE 'between' BEFORE 'ok';
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS numeric CHECK (VALUE > 0) DEFAULT 1;
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE COLLATION odd_collation FROM "C";
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT $1 * 2; END;
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.note := upper(NEW.note); RETURN NEW; END $f$;
CREATE PROCEDURE nothing() LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq, COMMUTATOR = ===);
CREATE CAST (pair AS text) WITH INOUT;
CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);

CREATE TABLE everything (
  id bigint GENERATED BY DEFAULT AS IDENTITY (START 100 INCREMENT 5) PRIMARY KEY,
  dropped int,
  f4 real, f8 double precision, n numeric, m money, d date, ts timestamp, tz timestamptz, iv interval,
  j json, jb jsonb, x xml, b bytea, bits bit varying(20), u uuid, i inet, mac macaddr,
  arr int[], texts text[][], mo mood, pa pair, po positive, sp span, mr nummultirange, ci citext, tsv tsvector,
  note text COLLATE odd_collation, doubled int GENERATED ALWAYS AS (twice(coalesce(id, 0)::int)) STORED,
  CHECK (note IS NULL OR length(note) < 100000));
ALTER TABLE everything DROP COLUMN dropped;
ALTER TABLE everything ALTER COLUMN note SET STORAGE EXTERNAL, ALTER COLUMN note SET STATISTICS 500;
CREATE TRIGGER shouting BEFORE INSERT ON everything FOR EACH ROW WHEN (NEW.id % 2 = 0) EXECUTE FUNCTION shout();
CREATE TRIGGER sleeping BEFORE UPDATE ON everything FOR EACH ROW EXECUTE FUNCTION shout();
ALTER TABLE everything DISABLE TRIGGER sleeping;
INSERT INTO everything (f4, f8, n, m, d, ts, tz, iv, j, jb, x, b, bits, u, i, mac, arr, texts, mo, pa, po, sp, mr, ci, tsv, note) VALUES
  ('NaN', '-Infinity', 'NaN', '-1.23', '-infinity', 'infinity', '0044-03-15 12:00 BC', '1 mon -3 days 04:05:06.789', '{"a": 1, "a":2}',
   '{"b": [null, 1e400, "\\u2603"]}', '<a b="c">d</a>', '\\x00ff5c0a0d', B'1011', '00000000-0000-0000-0000-0000000000ff', '::1/64',
   '08:00:2b:01:02:03', '[-1:1]={1,NULL,3}', '{{a,"b,\\"c"},{"",NULL}}', 'it''s "good"', '(1,"x,y")', 0.5, '[1.5,2.5)', '{[1,2),(3,)}',
   'CaSe', 'fat:1 cat:2A', E'tab\\t nl\\n cr\\r bs\\\\ \\\\. end'),
  ('1.1754944e-38', '5e-324', '0.000000000000000000000000001', NULL, '4713-01-01 BC', '294276-12-31 23:59:59.999999', NULL, '-178000000 years',
   'null', 'null', NULL, '', B'', NULL, '10.0.0.1', NULL, '{}', '{}', 'between', NULL, NULL, 'empty', '{}', '', '', ''),
  (-0.0, 1.7976931348623157e308, 'Infinity', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   '(,)', 99999, NULL, NULL, NULL, NULL, repeat('long ☃ 𝄞 ', 5000));
SELECT nextval(pg_get_serial_sequence('everything', 'id'));
CREATE SEQUENCE never_called START 7;
CREATE SEQUENCE called_once START 7; SELECT nextval('called_once');
CREATE SEQUENCE "-odd %""seq" INCREMENT -3 MAXVALUE 50 CYCLE; SELECT setval('"-odd %""seq"', -9, false);

CREATE TABLE ranged (at date NOT NULL, v text) PARTITION BY RANGE (at);
CREATE TABLE ranged_old PARTITION OF ranged FOR VALUES FROM (MINVALUE) TO ('2000-01-01');
CREATE TABLE ranged_rest PARTITION OF ranged DEFAULT PARTITION BY LIST (v);
CREATE TABLE ranged_rest_a PARTITION OF ranged_rest FOR VALUES IN ('a', NULL);
CREATE TABLE ${identifier(oddSchema)}."ranged_rest default" PARTITION OF ranged_rest DEFAULT;
CREATE UNIQUE INDEX ranged_key ON ranged (at, v);
INSERT INTO ranged VALUES ('1999-12-31', 'x'), ('2024-01-01', 'a'), ('2024-01-02', NULL), ('2024-01-03', 'other');
CREATE TABLE hashed (k text PRIMARY KEY) PARTITION BY HASH (k);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT 'key ' || i FROM generate_series(1, 200) i;

CREATE TABLE animal (name text, legs int DEFAULT 4);
CREATE TABLE bird (wings int DEFAULT 2) INHERITS (animal);
ALTER TABLE bird ALTER COLUMN legs SET DEFAULT 2;
INSERT INTO animal VALUES ('dog'); INSERT INTO bird VALUES ('crow');

CREATE TABLE hen (id int PRIMARY KEY, egg int NOT NULL);
CREATE TABLE egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES hen DEFERRABLE INITIALLY DEFERRED, parent int REFERENCES egg);
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
BEGIN; INSERT INTO hen VALUES (1, 10), (2, 20); INSERT INTO egg VALUES (10, 2, 20), (20, 1, 10); COMMIT;
INSERT INTO egg VALUES (30, 1, NULL);
ALTER TABLE egg ADD CONSTRAINT not_valid CHECK (id < 25) NOT VALID;
CREATE TABLE orphan (hen int);
INSERT INTO orphan VALUES (99);
ALTER TABLE orphan ADD CONSTRAINT orphan_hen FOREIGN KEY (hen) REFERENCES hen NOT VALID;
CREATE TABLE booked (during int4range, EXCLUDE USING gist (during WITH &&));
INSERT INTO booked VALUES ('[1,5)'), ('[5,9)');
CREATE STATISTICS related (ndistinct, dependencies) ON id, hen FROM egg;

CREATE UNLOGGED TABLE fleeting (i int); INSERT INTO fleeting VALUES (1), (2);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM everything;
CREATE MATERIALIZED VIEW a_counted_twice AS SELECT n * 2 AS n FROM counted;
CREATE UNIQUE INDEX ON counted (n);
CREATE MATERIALIZED VIEW empty_view AS SELECT n FROM counted WITH NO DATA;
CREATE VIEW looped AS SELECT id, hen FROM egg WHERE id > 5 WITH CHECK OPTION;
CREATE RULE no_delete AS ON DELETE TO orphan DO INSTEAD NOTHING;
CREATE VIEW keyed AS SELECT hen.*, count(*) FROM hen JOIN egg ON egg.hen = hen.id GROUP BY hen.id;

CREATE TABLE mine.secret (who name DEFAULT current_user, t text);
ALTER TABLE mine.secret OWNER TO ${role};
INSERT INTO mine.secret (t) VALUES ('a'), ('b');
ALTER TABLE mine.secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY "own rows" ON mine.secret FOR SELECT TO ${role} USING (who = current_user);
GRANT SELECT (who), UPDATE (t) ON mine.secret TO PUBLIC;
GRANT SELECT ON everything TO ${role} WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA mine GRANT SELECT ON TABLES TO ${role};

CREATE TABLE ${identifier(oddSchema)}."-t ""%s""\n;DROP TABLE x; --\\" ("col ""%1$s"" ☃" text, "\\." int);
INSERT INTO ${identifier(oddSchema)}."-t ""%s""\n;DROP TABLE x; --\\" VALUES (E'\\\\.', 1), ('-- PostgreSQL database dump complete', 2), (E'\\restrict x', 3);
COMMENT ON TABLE everything IS E'a comment; with ''quotes'' and\\nlines';
COMMENT ON COLUMN everything.note IS '☃';
COMMENT ON SCHEMA mine IS 'mine';

SELECT lo_from_bytea(424242, decode(repeat('00ff0a', 5000), 'hex'));
SELECT lo_create(424243);
COMMENT ON LARGE OBJECT 424242 IS 'large';
ALTER LARGE OBJECT 424243 OWNER TO ${role};
GRANT SELECT ON LARGE OBJECT 424242 TO ${role};

CREATE PUBLICATION published FOR TABLE everything (id, note) WHERE (id > 0), TABLE hen WITH (publish = 'insert, update');
CREATE SUBSCRIPTION some_${suffix} CONNECTION 'host=nowhere.invalid' PUBLICATION far WITH (connect = false, slot_name = NONE);
CREATE TABLE audit (tag text);
CREATE FUNCTION audit_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO public.audit VALUES (tg_tag); END $f$;
CREATE EVENT TRIGGER auditing ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE INDEX') EXECUTE FUNCTION audit_ddl();
`
