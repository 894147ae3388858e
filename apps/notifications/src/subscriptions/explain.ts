/** What an expression says of an event, seen under the names of a subscription's version. */
import type { Event } from '@pacifica/core'
import { type CompiledPath, type Explanation, explain as explainValue } from '@pacifica/jsonpath'
import type { Version } from './subscription.ts'

export function explain(expression: CompiledPath, event: Event, version: Version): Explanation {
  return explainValue(expression, event.project(version))
}
