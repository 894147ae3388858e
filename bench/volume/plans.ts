/** All cases of both services, measured one after the other. */
import { type Case, type Measured, measure } from './case.ts'
import { dispatcherCases, lookAtTasks } from './cases-dispatcher.ts'
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
  const cases = [...readingCases(known), ...workingCases(known), ...keepingCases(known)]
  const tasks = dispatcherCases(await lookAtTasks(dispatcher.database))
  const wanted = (all: Case[]) => all.filter(({ name }) => only?.test(name) ?? true)
  return [
    {
      service: 'notifications',
      cases: await measure(notifications.database, wanted(cases), print),
    },
    { service: 'dispatcher', cases: await measure(dispatcher.database, wanted(tasks), print) },
  ]
}
