import type { Version } from './version.js'

type NotOfExtension = (catalog: string, oid: string) => string

/**
 * One query for each kind of object. Each gives lines that say all that makes the definition of one object, in names alone:
 * `["column","public","film",3,"title","text",…]`.
 */
export function definitionQueries(
  { major }: Version,
  userSchema: string,
  notOfExtension: NotOfExtension,
): readonly string[] {
  const ownRelation = `${userSchema} AND c.relpersistence <> 't' AND ${notOfExtension('pg_class', 'c.oid')}
    AND ${notOfExtension('pg_type', 'c.reltype')}`
  const generated = major >= 12 ? 'a.attgenerated' : "''"
  const isAggregate = major >= 11 ? "p.prokind = 'a'" : 'p.proisagg'
  return [
    `SELECT json_build_array('extension', e.extname, n.nspname)::text AS line
     FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace`,

    `SELECT json_build_array('schema', n.nspname)::text AS line
     FROM pg_namespace n WHERE ${userSchema} AND ${notOfExtension('pg_namespace', 'n.oid')}`,

    `SELECT json_build_array('relation', n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,
       c.relforcerowsecurity, c.relreplident, (SELECT array_agg(o ORDER BY o COLLATE "C") FROM unnest(c.reloptions) o),
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, pg_get_expr(c.relpartbound, c.oid),
       CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
       ARRAY(SELECT pn.nspname || '.' || p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
             JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid ORDER BY i.inhseqno),
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
       (SELECT json_build_array(s.srvname, f.ftoptions) FROM pg_foreign_table f
        JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid))::text AS line
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${ownRelation}`,

    // Numbered anew: a dropped column leaves a gap in attnum that a restored table does not have.
    `SELECT json_build_array('column', n.nspname, c.relname,
       row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.attidentity, ${generated}, pg_get_expr(d.adbin, d.adrelid), co.collname, a.attislocal)::text AS line
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     LEFT JOIN pg_collation co ON co.oid = a.attcollation AND co.collname <> 'default'
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${ownRelation}`,

    `SELECT json_build_array('constraint', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid))::text AS line
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${ownRelation}`,

    // pg_dump leaves an index that never became valid out, too.
    `SELECT json_build_array('index', n.nspname, c.relname, ic.relname, pg_get_indexdef(i.indexrelid), i.indisclustered,
       i.indisreplident)::text AS line
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class ic ON ic.oid = i.indexrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE (i.indisvalid OR ic.relkind = 'I') AND ${ownRelation} AND c.relkind IN ('r', 'p', 'm')`,

    `SELECT json_build_array('trigger', n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled)::text AS line
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND ${ownRelation}`,

    `SELECT json_build_array('rule', n.nspname, c.relname, r.rulename, pg_get_ruledef(r.oid), r.ev_enabled)::text AS line
     FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE r.rulename <> '_RETURN' AND ${ownRelation}`,

    `SELECT json_build_array('policy', n.nspname, c.relname, p.polname, p.polcmd, p.polpermissive,
       ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r ORDER BY 1),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))::text AS line
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${ownRelation}`,

    `SELECT json_build_array('routine', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
       CASE WHEN ${isAggregate} THEN NULL ELSE pg_get_functiondef(p.oid) END,
       (SELECT json_build_array(g.aggkind, g.aggtransfn::text, g.aggfinalfn::text, g.agginitval, g.aggcombinefn::text,
          format_type(g.aggtranstype, NULL), format_type(p.prorettype, NULL), p.proparallel)
        FROM pg_aggregate g WHERE g.aggfnoid = p.oid))::text AS line
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE ${userSchema} AND ${notOfExtension('pg_proc', 'p.oid')}`,

    `SELECT json_build_array('sequence', n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
       s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
       (SELECT json_build_array(d.deptype, tn.nspname, t.relname, a.attname) FROM pg_depend d
        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype IN ('a', 'i')))::text AS line
     FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${ownRelation}`,

    `SELECT json_build_array('type', n.nspname, t.typname, t.typtype,
       ARRAY(SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
       CASE WHEN t.typtype = 'd' THEN json_build_array(format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
         ARRAY(SELECT k.conname || ' ' || pg_get_constraintdef(k.oid) FROM pg_constraint k
               WHERE k.contypid = t.oid ORDER BY k.conname::text COLLATE "C")) END,
       (SELECT json_build_array(format_type(r.rngsubtype, NULL), r.rngcanonical::text, r.rngsubdiff::text)
        FROM pg_range r WHERE r.rngtypid = t.oid))::text AS line
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE t.typtype IN ('d', 'e', 'r') AND ${userSchema} AND ${notOfExtension('pg_type', 't.oid')}`,

    `SELECT json_build_array('event trigger', e.evtname, e.evtevent, e.evtfoid::regproc::text, e.evtenabled, e.evttags)::text
       AS line FROM pg_event_trigger e WHERE ${notOfExtension('pg_event_trigger', 'e.oid')}`,

    `SELECT json_build_array('publication', p.pubname, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete,
       ARRAY(SELECT pn.nspname || '.' || pc.relname FROM pg_publication_rel r JOIN pg_class pc ON pc.oid = r.prrelid
             JOIN pg_namespace pn ON pn.oid = pc.relnamespace WHERE r.prpubid = p.oid ORDER BY 1))::text AS line
     FROM pg_publication p`,

    `SELECT json_build_array('statistics', n.nspname, s.stxname, pg_get_statisticsobjdef(s.oid))::text AS line
     FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE ${userSchema}`,

    ...namedOnly.map(
      (catalog) => `SELECT json_build_array(i.type, i.identity)::text AS line
       FROM pg_catalog.${catalog} o, LATERAL pg_identify_object('pg_catalog.${catalog}'::regclass, o.oid, 0) i
       WHERE o.oid >= ${firstUserOid} AND ${notOfExtension(catalog, 'o.oid')}`,
    ),
  ]
}

/** Kinds that applications rarely define: their existence counts, not what they are made of. */
const namedOnly = [
  'pg_cast',
  'pg_collation',
  'pg_conversion',
  'pg_foreign_data_wrapper',
  'pg_foreign_server',
  'pg_language',
  'pg_opclass',
  'pg_operator',
  'pg_opfamily',
  'pg_transform',
  'pg_ts_config',
  'pg_ts_dict',
  'pg_ts_parser',
  'pg_ts_template',
]

/** Objects below were made by initdb (FirstNormalObjectId in PostgreSQL's source). */
const firstUserOid = 16384
