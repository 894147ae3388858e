/** The bells of the pipeline: each step rings the next one's. A lost ring costs one idle period. */
import type { Bell, Database } from '@pacifica/platform'

export interface Bells {
  readonly match: Bell
  readonly authorize: Bell
  readonly deliver: Bell
  readonly recover: Bell
  readonly backtest: Bell
}

export function pipelineBells(database: Database): Bells {
  return {
    match: database.bell('pacifica_match'),
    authorize: database.bell('pacifica_authorize'),
    deliver: database.bell('pacifica_deliver'),
    recover: database.bell('pacifica_recover'),
    backtest: database.bell('pacifica_backtest'),
  }
}
