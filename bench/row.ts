/**
 * What a benchmark is and what it gives. Each is a module in `bench/rows` that exports one `row`, whose name is that of
 * the file. A row runs in a process of its own, whose temporary folder is removed after it.
 */

export interface Row {
  /** On the command line: `npm run bench -- accept`. */
  readonly name: string
  /** In the table. */
  readonly what: string
  /** Measures ours and its peer in turn, round by round, so that both see the same machine. */
  run(options: RowOptions): Promise<readonly Measured[]>
}

export interface RowOptions {
  readonly rounds: number
  /** Smaller sizes, to see that it works; such figures say nothing. */
  readonly quick: boolean
  /** One line on the way. */
  readonly print: (line: string) => void
}

export interface Measured {
  /** Which of the row's cases: "1 000 subscriptions". */
  readonly what: string
  /** Of both lists: "events/s", "ms", "MiB/s". Of what is counted by the second more is better, of all else less. */
  readonly unit: string
  /** One figure of each round. */
  readonly ours: readonly number[]
  /** What it is held beside, in the same rounds. */
  readonly peer?: { readonly name: string; readonly figures: readonly number[] }
  /** The goal in words, and whether the medians reach it. */
  readonly goal?: { readonly text: string; readonly reached: boolean }
  /** What else was seen: memory, the 99th percentile. */
  readonly note?: string
  /** How many there were of what grows from case to case: where it stands on the axis of a plot. */
  readonly at?: number
}
