/** Numbers that look random and are the same for the same seed (mulberry32). */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number
  pick<T>(things: readonly T[]): T
  shuffle<T>(things: readonly T[]): T[]
}

export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const pick = <T>(things: readonly T[]): T => things[Math.floor(next() * things.length)] as T
  return {
    next,
    pick,
    shuffle(things) {
      const left = [...things]
      return things.map(() => left.splice(Math.floor(next() * left.length), 1)[0] as never)
    },
  }
}
