/** All cases of both services, measured one after the other. */
import { type Case, type Measured, measure } from './case.ts'
import { backtestCases } from './cases-backtests.ts'
import { dispatcherCases, lookAtTasks } from './cases-dispatcher.ts'
import { joinCases, lookAtJoins } from './cases-joins.ts'
import { keepingCases } from './cases-keeping.ts'
import { readingCases } from './cases-reading.ts'
import { workingCases } from './cases-working.ts'
import { look } from './known.ts'
import type { FilledSite, Service } from './site.ts'

export interface ServicePlans {
  readonly service: Service['name']
  readonly cases: readonly Measured[]
}

export async function measurePlans(
  { notifications, dispatcher }: FilledSite,
  print: (line: string) => void,
  only?: RegExp,
): Promise<ServicePlans[]> {
  const known = await look(notifications.database)
  const cases = [readingCases, workingCases, keepingCases, backtestCases].flatMap((of) => of(known))
  const knownTasks = await lookAtTasks(dispatcher.database)
  const knownJoins = await lookAtJoins(dispatcher.database)
  const tasks = [...dispatcherCases(knownTasks), ...joinCases(knownJoins, knownTasks.running)]
  const wanted = (all: Case[]) => all.filter(({ name }) => only?.test(name) ?? true)
  return [
    {
      service: 'notifications',
      cases: await measure(notifications.database, wanted(cases), print),
    },
    { service: 'dispatcher', cases: await measure(dispatcher.database, wanted(tasks), print) },
  ]
}
