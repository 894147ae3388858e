/** Carts that tasks have ordered and that are not deleted yet, one statement to a function. */
import type { Database, Sql } from '@pacifica/platform'
import type { Held } from './store.ts'

/** A cart whose run is over, so nobody else will delete it. */
export interface LeftCart {
  readonly cart: string
  readonly task: string
  /** Too old to be tried any longer. */
  readonly hopeless: boolean
}

/** False: the claim is no longer ours, and no cart may be ordered. */
export async function noteCart(sql: Sql, held: Held, cart: string): Promise<boolean> {
  const rows = await sql.query(
    `INSERT INTO task_cart (cart, task, claim)
     SELECT $3, id, claim FROM task WHERE id = $1 AND claim = $2 AND state = 'running'
     RETURNING cart`,
    [held.id, held.claim, cart],
  )
  return rows.length > 0
}

export async function forgetCart(sql: Sql, cart: string): Promise<void> {
  await sql.query('DELETE FROM task_cart WHERE cart = $1', [cart])
}

/** The oldest first. */
export async function leftCarts(
  database: Database,
  { limit, hopelessMs }: { readonly limit: number; readonly hopelessMs: number },
): Promise<LeftCart[]> {
  return await database.query<LeftCart>(
    `SELECT c.cart, c.task, c.created < now() - $2 * interval '1 millisecond' AS hopeless
     FROM task_cart c
     WHERE NOT EXISTS (
       SELECT FROM task t WHERE t.id = c.task AND t.claim = c.claim AND t.state = 'running'
     )
     ORDER BY c.created, c.cart LIMIT $1`,
    [limit, hopelessMs],
  )
}
