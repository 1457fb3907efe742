/** The database of a small shop: ten tables, some 200 000 rows, the same at every run. */
export function fillShop(db) {
  db.exec(schema)
  const random = sequence(20_261_120)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const day = (range) =>
    new Date(Date.UTC(2024, 0, 1) + Math.floor(random() * range) * 86_400_000).toISOString()
  const words = (count) => Array.from({ length: count }, () => pick(vocabulary)).join(' ')

  db.exec('BEGIN')
  const insert = (table, count, row) => {
    const first = row(1)
    const statement = db.prepare(`INSERT INTO ${table} VALUES (${first.map(() => '?').join(', ')})`)
    statement.run(...first)
    for (let id = 2; id <= count; id++) statement.run(...row(id))
    return count
  }
  const rows =
    insert('countries', countries.length, (id) => [id, countries[id - 1]]) +
    insert('categories', 40, (id) => [id, words(2), id > 8 ? 1 + (id % 8) : null]) +
    insert('suppliers', 200, (id) => [id, `${words(1)} & ${words(1)}`, 1 + (id % countries.length)]) +
    insert('products', 4_000, (id) => [
      id,
      words(3),
      1 + (id % 40),
      1 + (id % 200),
      Math.round(random() * 90_000) / 100,
      words(20),
    ]) +
    insert('customers', 20_000, (id) => [
      id,
      `${pick(names)} ${pick(names)}`,
      `customer${id}@example.com`,
      1 + Math.floor(random() * countries.length),
      day(600),
    ]) +
    insert('addresses', 25_000, (id) => [
      id,
      1 + ((id - 1) % 20_000),
      `${1 + Math.floor(random() * 200)} ${words(1)} street`,
      words(1),
    ]) +
    insert('orders', 40_000, (id) => [id, 1 + Math.floor(random() * 20_000), day(700), pick(states)]) +
    insert('order_lines', 95_000, (id) => [
      1 + Math.floor((id - 1) / 2.4),
      1 + ((id - 1) % 4_000),
      1 + Math.floor(random() * 5),
      Math.round(random() * 90_000) / 100,
    ]) +
    insert('reviews', 12_000, (id) => [
      id,
      1 + (id % 4_000),
      1 + (id % 20_000),
      1 + Math.floor(random() * 5),
      words(25),
    ]) +
    insert('pictures', 4_000, (id) => [
      id,
      id,
      Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))),
    ])
  db.exec('COMMIT')
  return rows
}

const schema = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE countries (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT NOT NULL, parent INTEGER REFERENCES categories);
  CREATE TABLE suppliers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country INTEGER NOT NULL REFERENCES countries);
  CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, category INTEGER NOT NULL REFERENCES categories,
    supplier INTEGER NOT NULL REFERENCES suppliers, price NUMERIC NOT NULL CHECK (price >= 0), description TEXT);
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
    country INTEGER REFERENCES countries, since TEXT NOT NULL);
  CREATE TABLE addresses (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers, street TEXT, city TEXT);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers, placed TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'paid', 'sent', 'returned')));
  CREATE TABLE order_lines ("order" INTEGER NOT NULL REFERENCES orders, product INTEGER NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL, price NUMERIC NOT NULL, PRIMARY KEY ("order", product)) WITHOUT ROWID;
  CREATE TABLE reviews (id INTEGER PRIMARY KEY, product INTEGER NOT NULL REFERENCES products,
    customer INTEGER NOT NULL REFERENCES customers, stars INTEGER NOT NULL, text TEXT);
  CREATE TABLE pictures (id INTEGER PRIMARY KEY, product INTEGER NOT NULL REFERENCES products, content BLOB NOT NULL);
  CREATE INDEX orders_by_customer ON orders (customer, placed);
  CREATE VIEW revenue AS SELECT o.placed, sum(l.quantity * l.price) AS total FROM orders o JOIN order_lines l ON l."order" = o.id GROUP BY 1;
`

const countries = [
  'Chile',
  'Denmark',
  'Ghana',
  'India',
  'Japan',
  'Kenya',
  'Norway',
  'Peru',
  'Portugal',
  'Türkiye',
  'Việt Nam',
]
const names = [
  'Ada',
  'Grace',
  'Edsger',
  'Barbara',
  'Donald',
  'Frances',
  'Tony',
  'Radia',
  'Ken',
  'Margaret',
  'Zoë',
  'Łukasz',
]
const states = ['new', 'paid', 'paid', 'sent', 'sent', 'sent', 'sent', 'returned']
const vocabulary = (
  'amber anchor basket birch bottle bright canvas cedar copper cotton crimson early ember fabric feather fine folding garden ' +
  'gentle glass golden granite harbor heavy honey iron ivory kettle ladder lantern leather light linen little maple marble meadow ' +
  'mirror narrow nettle oak ocean olive orchard paper pebble pine plain quiet river round saddle scarlet silver simple slate soft ' +
  'spruce steel stone strong summer tall timber velvet violet walnut warm water wild willow winter wooden wool'
).split(' ')

/** A linear congruential generator (Numerical Recipes): the demo is the same everywhere. */
function sequence(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
