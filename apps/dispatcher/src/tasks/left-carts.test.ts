import { randomUUID } from 'node:crypto'
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  ENGINES,
  silentLog as log,
  type MigratedDatabase,
  openMigrated,
} from '../../../../test/harness/index.ts'
import { forgetCart, leftCarts, noteCart } from './cart-store.ts'
import { leftCartStep } from './left-carts.ts'
import { acceptTask, claimTasks, type Held, recordResult } from './store.ts'
import { settle } from './task.ts'

const WEEK_MS = 7 * 86_400_000

describe.each(ENGINES)('carts that were left, on the %s engine', (engine) => {
  let databases: MigratedDatabase
  let one: Database

  beforeAll(async () => {
    databases = await openMigrated(engine, 'dispatcher')
    one = databases.database
  })
  afterAll(() => databases.close())
  beforeEach(() => one.query('TRUNCATE task, task_cart CASCADE'))

  async function claim(): Promise<Held> {
    const options = { limit: 1, leaseMs: 0, maxStarts: 9, worker: 'me', except: [] }
    const [held] = await claimTasks(one, options)
    if (held === undefined) throw new Error('nothing to claim')
    return held
  }

  async function aTask(): Promise<Held> {
    const id = randomUUID()
    const names = { digest: id, source: '/s', eventId: id, event: '{}' }
    await acceptTask(one, { id, delivery: undefined, trace: undefined, ...names })
    return await claim()
  }

  const left = (limit = 9) => leftCarts(one, { limit, hopelessMs: WEEK_MS })

  /** Deletes what was left, with a Cartd that does this. */
  async function look(remove: (cart: string) => Promise<void>): Promise<boolean> {
    const forget = (cart: string) => forgetCart(one, cart)
    const { signal } = new AbortController()
    return await leftCartStep({ left, forget, remove, log, signal })()
  }

  test('a cart is left when its run is over: settled, or begun again by somebody else', async () => {
    const [settled, lost] = [randomUUID(), randomUUID()]
    const first = await aTask()
    expect(await noteCart(one, first, settled)).toBe(true)
    expect(await left()).toEqual([])
    await recordResult(one, first, settle({ kind: 'cancelled' }))
    const second = await aTask()
    expect(await noteCart(one, second, lost)).toBe(true)
    expect(await left()).toEqual([{ cart: settled, task: first.id, hopeless: false }])
    await claim()
    expect((await left()).map(({ cart }) => cart)).toEqual([settled, lost])
    expect(await left(1)).toHaveLength(1)
  })

  test('whoever has lost the task may order none', async () => {
    const first = await aTask()
    const second = await claim()
    expect(await noteCart(one, first, randomUUID())).toBe(false)
    expect(await noteCart(one, second, randomUUID())).toBe(true)
  })

  test('each is deleted once, and forgotten then; one of a run that goes on is not touched', async () => {
    const carts = [randomUUID(), randomUUID()]
    const held = await aTask()
    for (const cart of carts) await noteCart(one, held, cart)
    const again = await claim()
    await noteCart(one, again, randomUUID())
    const deleted: string[] = []
    const remove = async (cart: string) => void deleted.push(cart)
    expect(await look(remove)).toBe(false)
    await look(remove)
    expect(deleted.sort()).toEqual(carts.sort())
    expect(await one.query('SELECT cart FROM task_cart')).toHaveLength(1)
  })

  test('while Cartd is away they are kept, for a week', async () => {
    const cart = randomUUID()
    await noteCart(one, await aTask(), cart)
    await claim()
    const away = () => Promise.reject(new Error('Cartd is away'))
    expect(await look(away)).toBe(false)
    expect(await left()).toHaveLength(1)
    await one.query("UPDATE task_cart SET created = now() - interval '8 days'")
    await look(away)
    expect(await left()).toEqual([])
  })
})
