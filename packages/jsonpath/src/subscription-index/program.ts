/** One expression of the index, however many subscriptions have written it. */

import type { Visit } from '../compile/run.ts'
import type { Dialect } from '../parse.ts'
import type { Root } from '../syntax/parser.ts'
import type { OneOrMany } from './one-or-many.ts'
import type { Posting } from './trie/posting.ts'
import type { Placed } from './verdicts.ts'

/** A subscription. */
export interface Entry extends Placed {
  program: Program
}

export interface Program {
  readonly dialect: Dialect
  readonly root: Root
  /** As one of the subscribers wrote it. */
  readonly source: string
  /** Canonical: the same for all who mean the same. */
  readonly text: string
  entries: OneOrMany<Entry>
  /** Where it waits; undefined if it is a candidate for every value. */
  postings: Posting | readonly Posting[] | undefined
  /** The last match that it was a candidate of. */
  epoch: number
  /** Compiled at the first evaluation, and dropped when others are evaluated more often. */
  test: Visit | undefined
  /** Evaluated since the cache last looked. */
  recent: boolean
  /** The match after which it was put where it waits. */
  since: number
  /** Matches since then that it was a candidate of … */
  candidate: number
  /** … and did not match. */
  wasted: number
  /** So many wasted evaluations before another place is looked for; grows when that did not help. */
  patience: number
}

export function isIndexed({ postings }: Program): boolean {
  return postings !== undefined
}

export function postingsOf({ postings }: Program): readonly Posting[] {
  if (postings === undefined) return []
  return 'add' in postings ? [postings] : postings
}
