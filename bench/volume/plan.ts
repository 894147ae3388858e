/** What a plan of PostgreSQL's says: how long it took, how much it read, and what in it would grow with the table. Pure. */

/** A node of EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON). */
export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly 'Shared Hit Blocks'?: number
  readonly 'Shared Read Blocks'?: number
  readonly Plans?: readonly PlanNode[]
}

/** The whole answer. */
export interface Explained {
  readonly Plan: PlanNode
  readonly 'Planning Time': number
  readonly 'Execution Time': number
  readonly Triggers?: readonly {
    readonly 'Constraint Name'?: string
    readonly 'Trigger Name': string
    readonly Time: number
  }[]
}

export interface Figures {
  readonly planMs: number
  readonly ms: number
  /** Of 8 kB, found in PostgreSQL's own memory or not. */
  readonly pages: number
  /** How tables are reached, in the order of the plan. */
  readonly shape: string
  /** What would hurt, or hurts already. */
  readonly flags: readonly string[]
}

/** So many rows are nothing: a page of a list has at most 1 000. */
const PAGE = 1_000
const MOST_PAGES = 5_000
const MOST_MS = 100

export function figuresOf(explained: Explained): Figures {
  const nodes = [...walk(explained.Plan)]
  const { Plan: top, 'Execution Time': ms, 'Planning Time': planMs } = explained
  const pages = (top['Shared Hit Blocks'] ?? 0) + (top['Shared Read Blocks'] ?? 0)
  const flags = [
    ...nodes.flatMap((node) => flagsOf(node)),
    ...(pages > MOST_PAGES ? [`touches ${count(pages)} pages`] : []),
    ...(ms > MOST_MS ? [`takes ${Math.round(ms)} ms`] : []),
  ]
  return { planMs, ms, pages, shape: shapeOf(nodes), flags: [...new Set(flags)] }
}

function* walk(node: PlanNode): Generator<PlanNode> {
  yield node
  for (const child of node.Plans ?? []) yield* walk(child)
}

function flagsOf(node: PlanNode): string[] {
  const loops = node['Actual Loops'] ?? 1
  const rows = (node['Actual Rows'] ?? 0) * loops
  const removed =
    ((node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * loops
  const where = node['Relation Name'] ?? 'a join'
  if (node['Node Type'] === 'Seq Scan' && rows + removed > PAGE)
    return [`reads all of ${where} (${count(rows + removed)} rows)`]
  if (/Sort$/.test(node['Node Type'])) {
    const sorted = (node.Plans ?? []).map(
      (child) => (child['Actual Rows'] ?? 0) * (child['Actual Loops'] ?? 1),
    )
    const most = Math.max(0, ...sorted)
    return most > 2 * PAGE ? [`sorts ${count(most)} rows`] : []
  }
  return removed > 5 * PAGE ? [`throws away ${count(removed)} rows of ${where}`] : []
}

/** `delivery ← delivery_event_key × 101`: the scans, and how often each was begun when that is often. */
function shapeOf(nodes: readonly PlanNode[]): string {
  const scans = nodes.flatMap((node) => {
    const relation = node['Relation Name']
    const index = node['Index Name']
    const often = (node['Actual Loops'] ?? 1) > 1 ? ` × ${count(node['Actual Loops'] ?? 1)}` : ''
    if (node['Node Type'] === 'Bitmap Heap Scan' || node['Node Type'] === 'ModifyTable') return []
    if (node['Actual Loops'] === 0) return []
    if (index !== undefined) return [`${index}${often}`]
    if (node['Node Type'] === 'Seq Scan') return [`all of ${relation}${often}`]
    return /Sort$/.test(node['Node Type']) ? [node['Node Type'].toLowerCase()] : []
  })
  return [...new Set(scans)].join(', ')
}

export function count(n: number): string {
  return Math.round(n).toLocaleString('en').replaceAll(',', ' ')
}
