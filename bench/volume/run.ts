/** One run, from an empty server to the report. */

import type { Sql } from '@pacifica/platform'
import type { Postgres } from '../../test/harness/index.ts'
import { missedBy, writtenStatements } from './coverage.ts'
import { sizeFor } from './numbers.ts'
import type { VolumeOptions } from './options.ts'
import { count } from './plan.ts'
import { measurePlans } from './plans.ts'
import { measurePurge } from './purge.ts'
import { missedText, plansText, preparedText, purgeText, type Sizes, sizesText } from './report.ts'
import {
  atEase,
  type FilledSite,
  hurry,
  openFilled,
  reopen,
  reopenSite,
  type Service,
} from './site.ts'
import { indexSizes, tableSizes } from './sizes.ts'

export async function runVolume(
  needs: { postgres: Postgres; print: (line: string) => void },
  { events, only }: Pick<VolumeOptions, 'events' | 'only'>,
): Promise<string> {
  const { postgres, print } = needs
  const size = sizeFor(events)
  await asSuperuser(postgres, hurry)
  const filled = await openFilled(postgres, size, print)
  await asSuperuser(postgres, atEase)
  const site = await begunAnew(postgres, filled)
  print(`filled in ${site.fillS.toFixed(0)} s`)
  const sizes = [
    await sizesOf(site.notifications, 'eventlog', 'event'),
    await sizesOf(site.dispatcher, 'task', 'task'),
  ]
  const plans = await measurePlans(site, print, only)
  const run = plans.flatMap(({ cases }) =>
    cases.flatMap(({ first }) => first.map(({ text }) => text)),
  )
  const coverage = only === undefined ? missedText(missedBy(run, await writtenStatements())) : ''
  const purges = []
  if (only === undefined)
    for (const service of [site.notifications, site.dispatcher]) {
      print(`purges the older third of ${service.name}`)
      purges.push(await measurePurge(service, idleFor(events)))
    }
  await site.close()
  return [
    `## Sizes\n\nFilled in ${site.fillS.toFixed(0)} s: ${count(events)} events over 90 days, ${count(size.subscriptions)} subscriptions of ${size.users} users, ${count(size.tasks)} tasks, ${count(size.joins)} joins with tasks of their own, ${count(size.backtests)} backtests.\n`,
    sizesText(sizes),
    `## Statements\n\n${coverage}`,
    plansText(plans),
    preparedText(plans),
    ...(purges.length > 0 ? ['## The older third is purged\n', purgeText(purges)] : []),
  ].join('\n')
}

async function asSuperuser(postgres: Postgres, work: (sql: Sql) => Promise<void>): Promise<void> {
  const server = await reopen(postgres.url)
  await work(server)
  await server.close()
}

/** PostgreSQL has nothing in its own memory then; the system may have. */
async function begunAnew(postgres: Postgres, filled: FilledSite): Promise<FilledSite> {
  await filled.close()
  await postgres.restart('soft')
  return reopenSite(filled)
}

/** @param counted the table whose rows are the units */
async function sizesOf({ name, database }: Service, counted: string, unit: string): Promise<Sizes> {
  const [tables, indexes] = [await tableSizes(database), await indexSizes(database)]
  const units = tables.find((table) => table.name === counted)?.rows ?? 0
  return { service: name, units, unit, tables, indexes }
}

/** How long work is timed before the purge begins, in milliseconds. */
const idleFor = (events: number) => Math.min(10_000, events / 10)
