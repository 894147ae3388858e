/** Figures of several rounds: their middle and their ends, ours beside the peer's, and how they are written. */
import type { Measured } from './row.ts'

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** Of no figures at all, NaN. */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((one, other) => one - other)
  const at = (place: number) => sorted[place] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2
  return { min: at(0), median, max: at(sorted.length - 1) }
}

export function medianOf(figures: readonly number[]): number {
  return spreadOf(figures).median
}

/**
 * How good ours is beside the peer: 1 is as good, 2 is twice as good. Round by round, since both sides of a round saw
 * the same machine; where the peer was measured in fewer rounds, its median stands for each.
 */
export function goodness({ unit, ours, peer }: Measured): readonly number[] {
  if (peer === undefined) return []
  const usual = medianOf(peer.figures)
  return ours.map((figure, round) => {
    const other = ours.length === peer.figures.length ? (peer.figures[round] ?? usual) : usual
    return isRate(unit) ? figure / other : other / figure
  })
}

function isRate(unit: string): boolean {
  return unit.endsWith('/s')
}

/** Three digits that count, in groups: `12.3`, `4,169`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '?'
  if (Number.isInteger(value)) return value.toLocaleString('en')
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(digits, 6) })
}

/** `median (min–max)`; of one figure, that one. */
export function spreadText(
  figures: readonly number[],
  write: (value: number) => string = numberText,
): string {
  const { min, median, max } = spreadOf(figures)
  return figures.length > 1 ? `${write(median)} (${write(min)}–${write(max)})` : write(median)
}

/** As per cent, and where that would be hundreds as times. */
export function goodnessText(ratios: readonly number[]): string {
  if (ratios.length === 0) return ''
  return medianOf(ratios) < 3
    ? `${spreadText(ratios, (ratio) => `${Math.round(ratio * 100)}`)} %`
    : `${spreadText(ratios)} ×`
}
