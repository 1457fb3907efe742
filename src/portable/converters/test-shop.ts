/** For tests: what Django 5.2 itself made of one small application, its tables on SQLite and its fixture by dumpdata. */

export const shopSchema = [
  `CREATE TABLE "shop_author" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(80) NOT NULL, "email" varchar(254) NOT NULL UNIQUE, "born" date NULL, "mentor_id" bigint NULL REFERENCES "shop_author" ("id") DEFERRABLE INITIALLY DEFERRED)`,
  `CREATE TABLE "shop_author_friends" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "from_author_id" bigint NOT NULL REFERENCES "shop_author" ("id") DEFERRABLE INITIALLY DEFERRED, "to_author_id" bigint NOT NULL REFERENCES "shop_author" ("id") DEFERRABLE INITIALLY DEFERRED)`,
  `CREATE TABLE "shop_tag" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "slug" varchar(20) NOT NULL UNIQUE, "label" varchar(20) NOT NULL)`,
  `CREATE TABLE "shop_book" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(80) NOT NULL, "author_id" bigint NOT NULL REFERENCES "shop_author" ("id") DEFERRABLE INITIALLY DEFERRED, "price" decimal NOT NULL, "at" datetime NOT NULL, "data" text NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), "big" bigint NULL, "code" char(32) NULL, "open_at" time NULL, "took" bigint NULL, "raw" BLOB NULL)`,
  `CREATE TABLE "shop_book_tags" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "book_id" bigint NOT NULL REFERENCES "shop_book" ("id") DEFERRABLE INITIALLY DEFERRED, "tag_id" bigint NOT NULL REFERENCES "shop_tag" ("id") DEFERRABLE INITIALLY DEFERRED)`,
]

/** As Django stored them. Two differ after a load: it writes milliseconds into a fixture, and JSON without blanks. */
export const shopRows = [
  `INSERT INTO shop_author VALUES (1, 'Ada Löwe', 'ada@work.test', '1815-12-10', NULL), (2, 'Bob', 'bob@work.test', NULL, 1)`,
  `INSERT INTO shop_author_friends VALUES (1, 1, 2), (2, 2, 1)`,
  `INSERT INTO shop_tag VALUES (1, 'math', 'Math'), (2, 'tea', 'Tea')`,
  `INSERT INTO shop_book VALUES (1, 'Notes', 1, 12.5, '2024-01-01 10:00:00.123', '{"pages":[1,2,{"~":"x"}]}', 9007199254740993, '12345678123456781234567812345678', '09:30:00', 86405000000, X'00ff'),
     (2, 'Empty', 2, 0, '2024-01-02 00:00:00', NULL, NULL, NULL, NULL, NULL, NULL)`,
  `INSERT INTO shop_book_tags VALUES (1, 1, 1), (2, 1, 2)`,
]

export const shopLines = `{"model": "shop.author","pk": 1,"fields": {"name": "Ada Löwe","email": "ada@work.test","born": "1815-12-10","mentor": null,"friends": [2]}}
{"model": "shop.author","pk": 2,"fields": {"name": "Bob","email": "bob@work.test","born": null,"mentor": 1,"friends": [1]}}
{"model": "shop.tag","pk": 1,"fields": {"slug": "math","label": "Math"}}
{"model": "shop.tag","pk": 2,"fields": {"slug": "tea","label": "Tea"}}
{"model": "shop.book","pk": 1,"fields": {"title": "Notes","author": 1,"price": "12.50","at": "2024-01-01T10:00:00.123Z","data": {"pages": [1,2,{"~": "x"}]},"big": 9007199254740993,"code": "12345678-1234-5678-1234-567812345678","open_at": "09:30:00","took": "1 00:00:05","raw": "AP8=","tags": [1,2]}}
{"model": "shop.book","pk": 2,"fields": {"title": "Empty","author": 2,"price": "0.00","at": "2024-01-02T00:00:00Z","data": null,"big": null,"code": null,"open_at": null,"took": null,"raw": null,"tags": []}}
`

/** As dumpdata writes JSON without and with --indent. */
export const shopJson = `[${shopLines.trimEnd().split('\n').join(', ')}]`
export const shopIndented = `[\n${shopLines
  .trimEnd()
  .split('\n')
  .map((line) => JSON.stringify(JSON.parse(line), null, 2).replace('9007199254740992', '9007199254740993'))
  .join(',\n')}\n]\n`
