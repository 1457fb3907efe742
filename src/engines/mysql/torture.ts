/** Schemas with everything that dump tools have lost before. Used by the tests of this room alone. */

/** A name with all that breaks programs that put words together: quotes, blanks, a leading dash. */
export const oddTable = `-odd %t'a"b\`le ü x`

/** What the contract of connectors wants to find. */
export const contractSample: readonly string[] = [
  `CREATE TABLE author (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100) NOT NULL, note TEXT, KEY by_name (name))`,
  `CREATE TABLE book (id BIGINT UNSIGNED PRIMARY KEY, author_id INT, title VARCHAR(200), cover BLOB, price DECIMAL(30,10),
    weight DOUBLE, CONSTRAINT book_author FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE)`,
  `CREATE TABLE lonely (id INT PRIMARY KEY, word VARCHAR(20))`,
  `CREATE TABLE \`-odd %t'a"b\`\`le ü x\` (\`we ird\` VARCHAR(50), n INT)`,
  `CREATE VIEW titles AS SELECT b.title, a.name FROM book b JOIN author a ON a.id = b.author_id`,
  `CREATE TRIGGER shout BEFORE UPDATE ON author FOR EACH ROW SET NEW.note = UPPER(NEW.note)`,
  `INSERT INTO author (name, note) VALUES ('Ada', NULL), ('', ''), ('Zoë 😀', 'line\\nbreak'), ('O''Brien \\\\ "x"', '-- Dump completed')`,
  `INSERT INTO book VALUES (18446744073709551615, 1, NULL, x'00FF0A0D1A27225C', 99999999999999999999.9999999999, 1.7976931348623157e308),
    (0, 3, '', '', -0.0000000001, 2.2250738585072014e-308), (7, NULL, 'plain', NULL, NULL, 0.1)`,
  `INSERT INTO lonely WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80)
    SELECT a.i * 100 + b.i, CONCAT('w', a.i) FROM n a, n b`,
  `INSERT INTO \`-odd %t'a"b\`\`le ü x\` VALUES ('x', 1), ('(', 2), ('INSERT INTO', 3)`,
]

/** Understood by both families. */
export const tortureOfBoth: readonly string[] = [
  `SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'`,
  `CREATE TABLE every_type (
    id INT UNSIGNED NOT NULL PRIMARY KEY, ti TINYINT, si SMALLINT, mi MEDIUMINT, bi BIGINT, ub BIGINT UNSIGNED,
    zf INT(8) ZEROFILL, de DECIMAL(65,30), dbl DOUBLE, bits BIT(17), one BIT(1), bo BOOLEAN,
    ch CHAR(10), vc VARCHAR(255), bn BINARY(8), vb VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB,
    tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT, en ENUM('a','b''c','d,e','ü'), se SET('x','y','z''z'),
    da DATE, tm TIME(6), dt DATETIME(6), ts TIMESTAMP(6) NULL, ye YEAR, js JSON
  ) DEFAULT CHARSET=utf8mb4 COMMENT='it''s; a "comment" -- with \\\\ and \`ticks\`'`,
  `INSERT INTO every_type VALUES
    (0, -128, -32768, -8388608, -9223372036854775808, 0, 7, -99999999999999999999999999999999999.999999999999999999999999999999,
      -1.7976931348623157e308, b'10000000000000001', b'1', TRUE, 'x ', '', x'00FF000000000000', x'0A0D1A5C2722', x'00', x'', x'FF', x'DEADBEEF',
      'tab\\there', 'nul\\0 cr\\r lf\\n zeile', '\\\\''"%_', '😀 ünï ﷽ 𝔘', 'b''c', 'x,z''z',
      '1000-01-01', '-838:59:59.000000', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01.000001', 1901, '{"a": [1, 2.5, null, "ü\\\\n"], "b": {}}'),
    (4294967295, 127, 32767, 8388607, 9223372036854775807, 18446744073709551615, 99999999, 0.000000000000000000000000000001,
      2.2250738585072014e-308, b'01111111111111111', b'0', FALSE, '', ' lead and trail ', x'0102030405060708', REPEAT(x'C3', 300), NULL, REPEAT(x'00FF0A', 9000), NULL, NULL,
      '', '-- Dump completed', '*/ ; DROP TABLE x; /*!50001', NULL, 'ü', '', '0000-00-00', '838:59:59.999999', '0000-00-00 00:00:00.000000', '2038-01-19 03:14:07.000000', 2155, 'null')`,
  `INSERT INTO every_type (id) VALUES (1)`,
  `CREATE TABLE zero_dates (d DATE NOT NULL DEFAULT '0000-00-00', t DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', p DATE)`,
  `INSERT INTO zero_dates VALUES ('0000-00-00', '0000-00-00 00:00:00', '2024-00-00'), (DEFAULT, DEFAULT, '2024-02-00')`,
  `CREATE TABLE counted (id INT PRIMARY KEY AUTO_INCREMENT, v INT) AUTO_INCREMENT = 500`,
  `INSERT INTO counted VALUES (0, 1), (-5, 2), (499, 3)`,
  `INSERT INTO counted (v) VALUES (4)`,
  `DELETE FROM counted WHERE v = 4`,
  `CREATE TABLE latin (a VARCHAR(50), b TEXT, c CHAR(3)) DEFAULT CHARSET=latin1 COLLATE=latin1_german2_ci`,
  `INSERT INTO latin VALUES (x'E9FC', x'C3A9', 'abc'), (x'80818D8F909D', x'C3A4E282AC', x'FF00FE')`,
  `CREATE TABLE mixed (u8 VARCHAR(20) CHARACTER SET utf8mb3, u16 VARCHAR(20) CHARACTER SET utf16,
    sj VARCHAR(20) CHARACTER SET sjis, bin VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, asc1 VARCHAR(20) CHARACTER SET ascii)`,
  `INSERT INTO mixed VALUES ('naïve', '𝔘x', 'テスト', 'É', 'plain')`,
  `CREATE TABLE computed (a INT, b INT AS (a * 2) VIRTUAL, c VARCHAR(20) AS (CONCAT('x', a)) STORED, d JSON, KEY (c), UNIQUE KEY by_b (b))`,
  `INSERT INTO computed (a, d) VALUES (1, '{"k": 1}'), (-2, NULL), (NULL, '[]')`,
  `CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, p POINT NOT NULL, poly POLYGON, SPATIAL KEY (p)) ENGINE=InnoDB`,
  `INSERT INTO shapes VALUES (1, ST_GeomFromText('LINESTRING(0 0,1.5 -2.25)'), ST_GeomFromText('POINT(1 2)'),
    ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0),(1 1,2 1,2 2,1 2,1 1))')), (2, NULL, ST_GeomFromText('POINT(-0.1 1e300)'), NULL)`,
  `SET foreign_key_checks = 0`,
  `CREATE TABLE hen (id INT PRIMARY KEY, egg INT, CONSTRAINT hen_egg FOREIGN KEY (egg) REFERENCES egg (id))`,
  `CREATE TABLE egg (id INT PRIMARY KEY, hen INT, parent INT, CONSTRAINT egg_hen FOREIGN KEY (hen) REFERENCES hen (id) ON DELETE SET NULL,
    CONSTRAINT egg_egg FOREIGN KEY (parent) REFERENCES egg (id))`,
  `INSERT INTO hen VALUES (1, 2), (2, 1)`,
  `INSERT INTO egg VALUES (1, 1, 2), (2, 2, 1)`,
  `SET foreign_key_checks = 1`,
  `CREATE TABLE parted (id INT, at DATE, PRIMARY KEY (id, at)) PARTITION BY RANGE (YEAR(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2
    (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)`,
  `INSERT INTO parted VALUES (1, '1999-12-31'), (2, '2000-01-01'), (3, '2030-05-05')`,
  `CREATE TABLE listed (k VARCHAR(10)) PARTITION BY LIST COLUMNS (k) (PARTITION a VALUES IN ('a', 'it''s'), PARTITION b VALUES IN ('b'))`,
  `INSERT INTO listed VALUES ('it''s'), ('b')`,
  `CREATE TABLE checked (n INT CHECK (n > 0), CONSTRAINT odd_name CHECK (n % 2 = 1), s VARCHAR(20) DEFAULT 'it''s', u CHAR(36) DEFAULT (UUID()),
    FULLTEXT KEY words (s))`,
  `INSERT INTO checked VALUES (1, 'one', 'u'), (3, DEFAULT, NULL)`,
  'CREATE TABLE `-dash first` (`a``b` INT, `c"d` INT, `e\'f` INT, `percent%` INT, `sp ace` INT, `ünï` INT, `select` INT)',
  'INSERT INTO `-dash first` VALUES (1, 2, 3, 4, 5, 6, 7)',
  'CREATE TABLE `new\nline` (a INT)',
  'INSERT INTO `new\nline` VALUES (1)',
  `CREATE TABLE loose (a INT, b BLOB, KEY (a)) ENGINE=MyISAM`,
  `INSERT INTO loose VALUES (1, x'00'), (2, NULL)`,
  `CREATE TABLE no_rows (a INT)`,
  `CREATE TABLE audit (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(100))`,
  `CREATE VIEW base_view AS SELECT id, ti + 1 AS more FROM every_type WHERE tx <> ';' AND id > 0`,
  `CREATE SQL SECURITY INVOKER VIEW a_view_on_views AS SELECT b.id, c.v FROM base_view b LEFT JOIN counted c ON c.id = b.id`,
  "CREATE VIEW `odd ``view`` %` AS SELECT 1 AS `a``b`, 'é' AS `ü`",
  `CREATE FUNCTION double_it(n INT, label TEXT) RETURNS VARCHAR(100) DETERMINISTIC NO SQL SQL SECURITY INVOKER COMMENT 'it''s'
   BEGIN
     -- a comment; with a semicolon
     DECLARE s VARCHAR(20) DEFAULT 'a;b//$$';
     /* another
        comment */
     RETURN CONCAT(n * 2, s, label, '\\\\n');
   END`,
  `CREATE VIEW with_function AS SELECT double_it(1, 'x') AS y`,
  `SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'`,
  `CREATE PROCEDURE "odd ""name"" in ansi"(OUT "x" INT) READS SQL DATA BEGIN SELECT 'back\\slash' || 'pipe' INTO @v; SET "x" = 1; END`,
  `SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'`,
  `CREATE TRIGGER z_first BEFORE INSERT ON counted FOR EACH ROW SET NEW.v = COALESCE(NEW.v, 0) + 1`,
  `CREATE TRIGGER a_second BEFORE INSERT ON counted FOR EACH ROW FOLLOWS z_first SET NEW.v = NEW.v * 10`,
  `SET NAMES latin1`,
  `CREATE TRIGGER log_it AFTER DELETE ON counted FOR EACH ROW BEGIN INSERT INTO audit (what) VALUES (CONCAT('gone; ', OLD.id)); END`,
  `SET NAMES utf8mb4`,
  `SET time_zone = '+05:30', sql_mode = ''`,
  `CREATE EVENT tick ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'not now' DO INSERT INTO audit (what) VALUES ('tick')`,
  `CREATE EVENT once ON SCHEDULE AT '2037-06-01 12:00:00' ENABLE DO BEGIN DELETE FROM audit; DELETE FROM no_rows; END`,
]

/** MariaDB from 10.11 on. */
export const tortureOfMariadb: readonly string[] = [
  `CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 3 MAXVALUE 1000 CACHE 10 CYCLE`,
  `SELECT NEXTVAL(numbers), NEXTVAL(numbers)`,
  'CREATE SEQUENCE `seq ``odd` INCREMENT BY -1 MAXVALUE -1',
  `CREATE TABLE uses_sequence (id BIGINT DEFAULT NEXTVAL(numbers), hidden INT INVISIBLE DEFAULT 7, u UUID, i INET6)`,
  `INSERT INTO uses_sequence (u, i, hidden) VALUES ('123e4567-e89b-12d3-a456-426614174000', '::ffff:1.2.3.4', 9)`,
  `CREATE TABLE remembered (id INT PRIMARY KEY, v VARCHAR(20)) WITH SYSTEM VERSIONING`,
  `SET timestamp = 1000000000`,
  `INSERT INTO remembered VALUES (1, 'first'), (2, 'gone')`,
  `SET timestamp = 1100000000`,
  `UPDATE remembered SET v = 'second' WHERE id = 1`,
  `SET timestamp = 1200000000`,
  `DELETE FROM remembered WHERE id = 2`,
  `SET timestamp = DEFAULT`,
  `CREATE TABLE named_period (id INT PRIMARY KEY, v INT, rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START,
    re TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (rs, re)) WITH SYSTEM VERSIONING`,
  `INSERT INTO named_period (id, v) VALUES (1, 1)`,
  `UPDATE named_period SET v = 2`,
  `CREATE TABLE booked (id INT, f DATE, t DATE, PERIOD FOR p (f, t), UNIQUE (id, p WITHOUT OVERLAPS))`,
  `INSERT INTO booked VALUES (1, '2020-01-01', '2021-01-01')`,
  `CREATE TABLE compressed_column (a TEXT COMPRESSED, b VARCHAR(10) COMPRESSED)`,
  `INSERT INTO compressed_column VALUES (REPEAT('x', 5000), 'y')`,
  `CREATE TABLE aria_table (a INT) ENGINE=Aria TRANSACTIONAL=1`,
  `INSERT INTO aria_table VALUES (1)`,
  `SET sql_mode = 'ORACLE'`,
  `CREATE PACKAGE pack AS FUNCTION f RETURN INT; END`,
  `CREATE PACKAGE BODY pack AS FUNCTION f RETURN INT AS BEGIN RETURN 7; END; END`,
  `SET sql_mode = ''`,
]

/** MySQL from 8.0 on. */
export const tortureOfMysql: readonly string[] = [
  `CREATE TABLE hidden_column (a INT, b INT INVISIBLE DEFAULT 7)`,
  `INSERT INTO hidden_column (a, b) VALUES (1, 9)`,
  `CREATE TABLE functional (a INT, b JSON, KEY by_sum ((a + 1)), KEY gone (a) INVISIBLE)`,
  `INSERT INTO functional VALUES (1, '{"a": 1.0, "big": 18446744073709551615}')`,
  `CREATE TABLE placed (p POINT NOT NULL SRID 4326, SPATIAL KEY (p))`,
  `INSERT INTO placed VALUES (ST_GeomFromText('POINT(48.2 16.37)', 4326))`,
  `CREATE TABLE described (a INT DEFAULT (1 + 2), s VARCHAR(20) DEFAULT (CONCAT('x', 'y')))`,
  `INSERT INTO described VALUES (DEFAULT, DEFAULT), (5, 'z')`,
]
