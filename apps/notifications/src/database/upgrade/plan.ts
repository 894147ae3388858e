/** From the tables that are there to the Python schema 3.0: pure, so that a dry run says what a run does. */
import type { Catalog, CatalogColumn } from './catalog.ts'
import { type ColumnSpec, PYTHON_3_0, type TableSpec } from './python-schema.ts'

export interface Plan {
  readonly statements: readonly string[]
  /** Why it cannot be done. */
  readonly problems: readonly string[]
}

export function planPythonSchema(catalog: Catalog): Plan {
  const plans = Object.entries(PYTHON_3_0).map(([table, spec]) => planTable(table, spec, catalog))
  return {
    statements: plans.flatMap(({ statements }) => statements),
    problems: plans.flatMap(({ problems }) => problems),
  }
}

function planTable(table: string, spec: TableSpec, catalog: Catalog): Plan {
  const there = catalog.columns.filter((column) => column.table === table)
  if (there.length === 0) return { statements: createTable(table, spec), problems: [] }
  const plans = Object.entries(spec.columns).map(([name, column]) => {
    const found = there.find((other) => other.name === name)
    return found === undefined ? addColumn(table, name, column) : changeColumn(found, column)
  })
  const strangers = there.filter(({ name }) => !Object.hasOwn(spec.columns, name))
  return {
    statements: [
      ...plans.flatMap(({ statements }) => statements),
      ...strangers.flatMap(makeHarmless),
      ...addKeys(table, spec, catalog),
    ],
    problems: plans.flatMap(({ problems }) => problems),
  }
}

function createTable(table: string, spec: TableSpec): string[] {
  const columns = Object.entries(spec.columns).map(
    ([name, { type, notNull }]) => `"${name}" ${type}${notNull ? ' NOT NULL' : ''}`,
  )
  const foreign = Object.entries(spec.foreignKeys ?? {}).map(
    ([column, other]) => `FOREIGN KEY ("${column}") REFERENCES "${other}" ("uuid")`,
  )
  const parts = [...columns, `PRIMARY KEY ("${spec.primaryKey}")`, ...foreign]
  return [
    `CREATE TABLE "${table}" (${parts.join(', ')})`,
    ...spec.indexes.map((column) => createIndex(table, column)),
  ]
}

function addColumn(table: string, name: string, spec: ColumnSpec): Plan {
  const { type, notNull, fill } = spec
  if (!notNull)
    return { statements: [`ALTER TABLE "${table}" ADD COLUMN "${name}" ${type}`], problems: [] }
  if (fill === undefined)
    return {
      statements: [],
      problems: [`${table} has no column ${name}: this is no schema that was ever released`],
    }
  const statements = [
    `ALTER TABLE "${table}" ADD COLUMN "${name}" ${type}`,
    `UPDATE "${table}" SET "${name}" = ${fill}`,
    `ALTER TABLE "${table}" ALTER COLUMN "${name}" SET NOT NULL`,
  ]
  return { statements, problems: [] }
}

function changeColumn(found: CatalogColumn, spec: ColumnSpec): Plan {
  const { table, name } = found
  const alter = `ALTER TABLE "${table}" ALTER COLUMN "${name}"`
  const statements: string[] = []
  if (!sameType(found.type, spec.type))
    statements.push(`${alter} TYPE ${spec.type} USING "${name}"::${spec.type}`)
  if (!spec.notNull || found.notNull) return { statements, problems: [] }
  if (found.hasNulls && spec.fill === undefined)
    return {
      statements: [],
      problems: [`${table}.${name} is NULL in some rows: fill or delete them`],
    }
  if (found.hasNulls)
    statements.push(`UPDATE "${table}" SET "${name}" = ${spec.fill} WHERE "${name}" IS NULL`)
  return { statements: [...statements, `${alter} SET NOT NULL`], problems: [] }
}

/** Times that have a zone already need none. */
function sameType(found: string, wanted: string): boolean {
  return (
    found === wanted || (found === 'timestamp with time zone' && wanted.startsWith('timestamp'))
  )
}

/** A column that nobody of us fills must not ask for a value. */
function makeHarmless({ table, name, notNull, hasDefault }: CatalogColumn): string[] {
  return notNull && !hasDefault
    ? [`ALTER TABLE "${table}" ALTER COLUMN "${name}" DROP NOT NULL`]
    : []
}

function addKeys(table: string, spec: TableSpec, { indexes }: Catalog): string[] {
  const own = indexes.filter((index) => index.table === table)
  const primary = own.some((index) => index.primary && index.columns === spec.primaryKey)
  const missing = spec.indexes.filter((column) => !own.some((index) => index.columns === column))
  return [
    ...(primary ? [] : [`ALTER TABLE "${table}" ADD PRIMARY KEY ("${spec.primaryKey}")`]),
    ...missing.map((column) => createIndex(table, column)),
  ]
}

function createIndex(table: string, column: string): string {
  return `CREATE INDEX IF NOT EXISTS "${table}_${column}" ON "${table}" ("${column}")`
}
