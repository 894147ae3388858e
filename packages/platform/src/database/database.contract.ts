/** What both engines do alike. `open` gives an empty database, which the suite closes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database, Sql } from './database.ts'
import { textArray } from './text-array.ts'
import { isUnavailable, sqlState } from './unavailable.ts'

export function databaseContract(open: () => Promise<Database>) {
  let database: Database
  beforeAll(async () => {
    database = await open()
  }, 180_000)
  afterAll(() => database.close())

  const one = async <T>(text: string, values?: readonly unknown[]): Promise<T> => {
    const [row] = await database.query<{ it: T }>(text, values)
    return (row as { it: T }).it
  }
  let tables = 0
  const table = async (columns: string) => {
    tables += 1
    const name = `t${tables}`
    await database.query(`CREATE TABLE ${name} (${columns})`)
    return name
  }

  test.each([
    ['42::int2', 42],
    ['-7::int4', -7],
    ['9007199254740991::int8', 9007199254740991],
    ["'12.50'::numeric", '12.50'],
    ['1.5::float8', 1.5],
    ['true', true],
    ["'2024-01-02 03:04:05.678+02'::timestamptz", new Date('2024-01-02T01:04:05.678Z')],
    ["'2024-01-02 03:04:05'::timestamp", '2024-01-02 03:04:05'],
    ["'2024-01-02'::date", '2024-01-02'],
    [`'{"b": [1, "é"], "a": null}'::json`, { b: [1, 'é'], a: null }],
    [`'[1, {"a": 2}]'::jsonb`, [1, { a: 2 }]],
    ["'6F9619FF-8B86-D011-B42D-00CF4FC964FF'::uuid", '6f9619ff-8b86-d011-b42d-00cf4fc964ff'],
    ['ARRAY[1, NULL, 3]::int8[]', [1, null, 3]],
    ['ARRAY[1.10, 2]::numeric[]', ['1.10', '2']],
    ["ARRAY['a,b', 'c\"d', NULL]::text[]", ['a,b', 'c"d', null]],
    ["ARRAY['2024-01-02 00:00:00Z']::timestamptz[]", [new Date('2024-01-02T00:00:00Z')]],
    [`ARRAY['{"a": 1}']::jsonb[]`, [{ a: 1 }]],
    ['ARRAY[true, false]', [true, false]],
    ['NULL::int8', null],
  ])('reads %s', async (expression, value) => {
    expect(await one(`SELECT ${expression} AS it`)).toEqual(value)
  })

  test('texts of every kind go in as a text array, as many and as long as they are', async () => {
    const values = ['', 'plain', null, '{"a": "b\\\\c"}', 'NULL', 'é€😀', `${'x'.repeat(100_000)}ü`]
    expect(await one('SELECT $1::text[] AS it', [textArray(values)])).toEqual(values)
    expect(await one('SELECT $1::text[] AS it', [textArray([])])).toEqual([])
  })

  test('reads bytea as bytes', async () => {
    const bytes = await one<Uint8Array>("SELECT '\\x00ff10'::bytea AS it")
    expect(bytes).toBeInstanceOf(Uint8Array)
    expect([...bytes]).toEqual([0, 255, 16])
  })

  test('says so when a bigint is too large for a number', async () => {
    await expect(one('SELECT 9007199254740993::int8 AS it')).rejects.toThrow('9007199254740993')
    expect(await one('SELECT 1 AS it')).toBe(1)
  })

  test.each([
    ['text', 'ünï "quoted" \\ \n 😀'],
    ['int8', 9007199254740991],
    ['bool', false],
    ['timestamptz', new Date('2024-05-06T07:08:09.123Z')],
    ['jsonb', { a: [1, { b: 'é' }], c: null }],
    ['uuid', '6f9619ff-8b86-d011-b42d-00cf4fc964ff'],
    ['text[]', ['a', 'b"c', 'd,e', '', 'NULL', null, '{}', '\\']],
    ['text[]', ['plain', 'two words', ' with, a {brace}', 'null', "it's\n\ttrue"]],
    ['text[]', ['"', '\\"', '\\\\', null]],
    ['text[]', []],
    ['int8[]', [1, 2, null]],
    ['float8[]', [1.5, -0.25, 1e300, Number.NaN, Number.NEGATIVE_INFINITY, null]],
    ['bool[]', [true, false, null]],
    ['jsonb[]', [{ a: '"' }, { b: [1, null] }]],
    ['uuid[]', ['6f9619ff-8b86-d011-b42d-00cf4fc964ff']],
    ['timestamptz[]', [new Date('2024-05-06T07:08:09.123Z')]],
    ['text', null],
  ])('gives back what was bound to a %s', async (type, value) => {
    expect(await one(`SELECT $1::${type} AS it`, [value])).toEqual(value)
  })

  test('takes bytes, also a view into a larger buffer', async () => {
    const view = new Uint8Array([9, 0, 255, 1, 9]).subarray(1, 4)
    expect([...(await one<Uint8Array>('SELECT $1::bytea AS it', [view]))]).toEqual([0, 255, 1])
  })

  test('inserts a batch with unnest', async () => {
    const name = await table('id uuid PRIMARY KEY, at timestamptz, body text, n int')
    const ids = Array.from(
      { length: 5_000 },
      (_, i) => `00000000-0000-0000-0000-${String(i).padStart(12, '0')}`,
    )
    const rows = await database.query(
      `INSERT INTO ${name} SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[]) RETURNING id`,
      [ids, ids.map(() => new Date(0)), ids.map((id) => `{"id": "${id}"}`), ids.map((_, i) => i)],
    )
    expect(rows).toHaveLength(5_000)
    expect(await one(`SELECT body AS it FROM ${name} WHERE n = 4999`)).toBe(
      `{"id": "${ids.at(-1)}"}`,
    )
  })

  test('carries a text of many megabytes', async () => {
    const text = 'é€😀x'.repeat(1_000_000)
    expect((await one<string>('SELECT $1::text AS it', [text])) === text).toBe(true)
  })

  test("the session's zone is UTC", async () => {
    expect(await one("SELECT '2024-07-01 12:00:00'::timestamptz::text AS it")).toBe(
      '2024-07-01 12:00:00+00',
    )
  })

  test('a failed statement has its SQLSTATE, is no outage, and the next one works', async () => {
    const name = await table('id int PRIMARY KEY')
    await database.query(`INSERT INTO ${name} VALUES (1)`)
    const failures = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) =>
        i % 2 === 0
          ? database.query(`INSERT INTO ${name} VALUES ($1)`, [1])
          : one(`SELECT $1::int AS it`, [i]),
      ),
    )
    for (const [i, failure] of failures.entries()) {
      if (failure.status === 'fulfilled') expect(failure.value).toBe(i)
      else
        expect([i % 2, sqlState(failure.reason), isUnavailable(failure.reason)]).toEqual([
          0,
          '23505',
          false,
        ])
    }
    await expect(database.query('SELECT nonsense(')).rejects.toMatchObject({ code: '42601' })
    expect(await one('SELECT 1 AS it')).toBe(1)
  })

  test('a transaction is all or nothing', async () => {
    const name = await table('id int')
    const insert = (sql: Sql, id: number) => sql.query(`INSERT INTO ${name} VALUES ($1)`, [id])
    expect(
      await database.transaction(async (sql) => {
        await insert(sql, 1)
        return 'done'
      }),
    ).toBe('done')
    const refused = database.transaction(async (sql) => {
      await insert(sql, 2)
      throw new Error('changed my mind')
    })
    await expect(refused).rejects.toThrow('changed my mind')
    expect(await database.query(`SELECT id FROM ${name}`)).toEqual([{ id: 1 }])
  })

  test('a transaction that swallowed an error is not taken for committed', async () => {
    const name = await table('id int')
    const swallowed = database.transaction(async (sql) => {
      await sql.query(`INSERT INTO ${name} VALUES (1)`)
      await sql.query('SELECT 1/0').catch(() => {})
    })
    await expect(swallowed).rejects.toMatchObject({ code: 'TRANSACTION_LOST' })
    expect(await database.query(`SELECT id FROM ${name}`)).toEqual([])
  })

  test('a commit that fails is an error', async () => {
    const name = await table('id int UNIQUE DEFERRABLE INITIALLY DEFERRED')
    const commit = database.transaction((sql) => sql.query(`INSERT INTO ${name} VALUES (1), (1)`))
    await expect(commit).rejects.toMatchObject({ code: '23505' })
    expect(await database.query(`SELECT id FROM ${name}`)).toEqual([])
  })

  test('statements of a transaction asked for at once run one after the other, and none after its end', async () => {
    let late: Sql | undefined
    const sum = await database.transaction(async (sql) => {
      late = sql
      const rows = await Promise.all(
        [1, 2, 3].map((n) => sql.query<{ n: number }>('SELECT $1::int AS n', [n])),
      )
      return rows.flat().reduce((total, { n }) => total + n, 0)
    })
    expect(sum).toBe(6)
    await expect(late?.query('SELECT 1')).rejects.toMatchObject({ code: 'TRANSACTION_LOST' })
  })

  test('no other statement gets into a transaction', async () => {
    const name = await table('who text, n int')
    const write = (who: string) =>
      database.transaction(async (sql) => {
        await sql.query(`LOCK TABLE ${name}`)
        for (const n of [1, 2, 3]) await sql.query(`INSERT INTO ${name} VALUES ($1, $2)`, [who, n])
        const [row] = await sql.query<{ count: number }>(
          `SELECT count(*) FROM ${name} WHERE who = $1`,
          [who],
        )
        expect(row?.count).toBe(3)
        throw new Error('rolled back')
      })
    await Promise.allSettled(['a', 'b', 'c'].map(write))
    const kept = Array.from({ length: 20 }, (_, n) =>
      database.query(`INSERT INTO ${name} VALUES ('single', $1)`, [n]),
    )
    await Promise.all([...kept, ...['d', 'e'].map((who) => write(who).catch(() => {}))])
    expect(await database.query(`SELECT who, count(*) FROM ${name} GROUP BY who`)).toEqual([
      { who: 'single', count: 20 },
    ])
  })

  test("our transactions and Prisma's exclude each other", async () => {
    const name = await table('n int')
    await database.query(`INSERT INTO ${name} VALUES (0)`)
    const prisma = await database.adapter.connect()
    const increase = async (run: (text: string) => Promise<number>) => {
      const n = await run(`SELECT n FROM ${name} FOR UPDATE`)
      await run(`UPDATE ${name} SET n = ${n + 1} RETURNING n`)
    }
    const ours = () =>
      database.transaction((sql) =>
        increase(async (text) => (await sql.query<{ n: number }>(text))[0]?.n as number),
      )
    const theirs = async () => {
      const transaction = await prisma.startTransaction()
      await increase(async (sql) => {
        const { rows } = await transaction.queryRaw({ sql, args: [], argTypes: [] })
        return rows[0]?.[0] as number
      })
      await transaction.executeRaw({ sql: 'COMMIT', args: [], argTypes: [] })
      await transaction.commit()
    }
    await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? ours() : theirs())))
    expect(await one(`SELECT n AS it FROM ${name}`)).toBe(20)
    await prisma.dispose()
    expect(await one('SELECT 1 AS it')).toBe(1)
  })

  test('Prisma learns what is wrong with a row', async () => {
    const name = await table('id int PRIMARY KEY')
    const prisma = await database.adapter.connect()
    const insert = () =>
      prisma.executeRaw({ sql: `INSERT INTO ${name} VALUES (1)`, args: [], argTypes: [] })
    await insert()
    await expect(insert()).rejects.toMatchObject({
      cause: { kind: 'UniqueConstraintViolation', originalCode: '23505' },
    })
    await prisma.dispose()
  })

  test('Prisma binds and reads values of its own kind, and spoils none of ours', async () => {
    const prisma = await database.adapter.connect()
    const { rows } = await prisma.queryRaw({
      sql: 'SELECT $1::int8 AS a, $2::timestamptz AS b, $3::jsonb AS c',
      args: ['9007199254740993', '2024-05-06T07:08:09.123Z', '{"a":1}'],
      argTypes: [
        { scalarType: 'bigint', arity: 'scalar' },
        { scalarType: 'datetime', arity: 'scalar' },
        { scalarType: 'json', arity: 'scalar' },
      ],
    })
    expect(rows).toEqual([['9007199254740993', '2024-05-06T07:08:09.123+00:00', '{"a": 1}']])
    expect(await one('SELECT $1::timestamptz AS it', [new Date(5)])).toEqual(new Date(5))
    await prisma.dispose()
  })

  test('who forgets to use the transaction within one is told, instead of waiting for ever', async () => {
    const outside = () => database.query('SELECT 1')
    await expect(database.transaction(outside)).rejects.toMatchObject({
      code: 'TRANSACTION_BYPASSED',
    })
    await expect(
      database.transaction(() => database.transaction(async () => 1)),
    ).rejects.toMatchObject({
      code: 'TRANSACTION_BYPASSED',
    })
    let afterwards: Promise<unknown> | undefined
    await database.transaction(async () => {
      setTimeout(() => {
        afterwards = outside()
      }, 50)
    })
    while (!afterwards) await new Promise((resolve) => setTimeout(resolve, 10))
    await afterwards
  })

  test('a script runs whole or not at all', async () => {
    await database.script(
      "CREATE TABLE scripted (t text); INSERT INTO scripted VALUES ('a;b'); INSERT INTO scripted VALUES ('c')",
    )
    await expect(
      database.script("INSERT INTO scripted VALUES ('d'); SELECT 1/0"),
    ).rejects.toMatchObject({ code: '22012' })
    expect(await database.query('SELECT t FROM scripted')).toEqual([{ t: 'a;b' }, { t: 'c' }])
  })

  test('a channel has one bell, and ringing it wakes who waits', async () => {
    const { signal } = new AbortController()
    expect(database.bell('news')).toBe(database.bell('news'))
    const start = performance.now()
    const waiting = database.bell('news').wait(60_000, signal)
    database.bell('news').ring()
    await waiting
    expect(performance.now() - start).toBeLessThan(30_000)
  })

  test('a prepared statement gives what an unprepared one gives, as often as it is asked, also in a transaction', async () => {
    const name = await table('id int, word text')
    const insert = `INSERT INTO ${name} SELECT * FROM unnest($1::int[], $2::text[]) RETURNING id, word`
    const add = (id: number, sql: Sql = database) =>
      sql.query(insert, [[id], [`word ${id}`]], 'prepared')
    for (let id = 1; id <= 12; id += 1) expect(await add(id)).toEqual([{ id, word: `word ${id}` }])
    await database.transaction(async (sql) => {
      expect(await add(13, sql)).toMatchObject([{ id: 13 }])
    })
    expect(await one(`SELECT count(*) AS it FROM ${name}`)).toBe(13)
  })

  test('a prepared statement outlives a change of its table', async () => {
    const name = await table('id int')
    const select = `SELECT * FROM ${name} WHERE id > $1`
    await database.query(`INSERT INTO ${name} VALUES (1)`)
    const read = (sql: Sql = database) => sql.query(select, [0], 'prepared')
    for (let n = 0; n < 12; n += 1) expect(await read()).toEqual([{ id: 1 }])
    await database.query(`ALTER TABLE ${name} ADD more text DEFAULT 'm'`)
    expect(await read()).toEqual([{ id: 1, more: 'm' }])
    await database.query(`ALTER TABLE ${name} DROP more`)
    // A transaction that meets it is lost; the next one is not.
    await database.transaction(read).catch(() => {})
    expect(await database.transaction(read)).toEqual([{ id: 1 }])
  })

  test('what is wrong with a prepared statement is its own error', async () => {
    const divide = 'SELECT 1 / $1::int AS it'
    for (let n = 0; n < 3; n += 1)
      await expect(database.query(divide, [0], 'prepared')).rejects.toMatchObject({ code: '22012' })
    expect(await database.query(divide, [1], 'prepared')).toEqual([{ it: 1 }])
    await expect(database.query('SELEC $1', [1], 'prepared')).rejects.toMatchObject({
      code: '42601',
    })
  })

  test('answers a check', async () => {
    await database.check(10_000)
  })
}
