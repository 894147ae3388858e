/**
 * One event against 1 to 100 000 subscriptions, time and memory, by the index and by brute force over compiled
 * expressions; a stream of different events; the case that is hardest on the index. Throws when the two sides differ.
 */
import { medianOf, numberText } from '../figures.ts'
import { measureRound, OTHERS, type Round, type Sized } from '../matching/round.ts'
import type { Measured, Row } from '../row.ts'

const MIB = 1024 * 1024

export const row: Row = {
  name: 'matching',
  what: 'an event of 4.7 kB against many subscriptions, 10 of which match',
  async run({ rounds: count, quick, print }) {
    const rounds: Round[] = []
    for (let round = 0; round < count; round += 1) {
      const measured = measureRound({ first: round === 0, quick })
      const times = measured.sized.map(
        ({ size, index }) => `${numberText(index.us)} µs of ${numberText(size)}`,
      )
      print(`round ${round + 1}: ${times.join(', ')}`)
      rounds.push(measured)
    }
    const cases = (rounds[0]?.sized ?? []).map((_, at) => rounds.map(({ sized }) => sized[at]))
    const sized = cases.map((all) => all.filter((one) => one !== undefined))
    return [
      ...sized.map(timeOf),
      ...sized.map(memoryOf),
      ...loading(sized.at(-1) ?? [], rounds),
      streaming(rounds),
      ...crowded(rounds.map(({ hot }) => hot)),
      ...OTHERS.map(({ name }, at) =>
        otherOf(
          name,
          rounds.map(({ others }) => others[at]),
        ),
      ),
    ]
  },
}

function timeOf(rounds: readonly Sized[]): Measured {
  const ours = rounds.map(({ index }) => index.us)
  return {
    what: `time, ${sizeOf(rounds)}`,
    unit: 'µs',
    ours,
    ...beside(rounds, ({ us }) => us),
    goal: { text: '< 50 µs, flat', reached: medianOf(ours) < 50 },
    note: `${rounds.at(-1)?.index.candidates.settled} candidates`,
    at: rounds[0]?.size ?? 0,
  }
}

function memoryOf(rounds: readonly Sized[]): Measured {
  const bytes = rounds.map(({ index }) => index.bytes)
  const each = medianOf(bytes) / (rounds[0]?.size ?? 1)
  return {
    what: `memory, ${sizeOf(rounds)}`,
    unit: 'MiB',
    ours: bytes.map((one) => one / MIB),
    ...beside(rounds, (side) => side.bytes / MIB),
    note: `${numberText(Math.round(each))} B each, text included`,
    at: rounds[0]?.size ?? 0,
  }
}

function loading(most: readonly Sized[], rounds: readonly Round[]): Measured[] {
  const seconds = most.map(({ index }) => index.loadSeconds)
  const each = most.map(({ index, size }) => index.bytes / size)
  const { changeUs, addAndRemoveUs } = rounds[0]?.change ?? { changeUs: 0, addAndRemoveUs: 0 }
  return [
    {
      what: `loading ${sizeOf(most)}`,
      unit: 's',
      ours: seconds,
      goal: { text: '< 5 s', reached: medianOf(seconds) < 5 },
      note: `among them, changing one takes ${numberText(changeUs)} µs, adding and removing one ${numberText(addAndRemoveUs)} µs`,
    },
    {
      what: 'heap for each of them',
      unit: 'B',
      ours: each.map(Math.round),
      goal: { text: '≤ 2 kB', reached: medianOf(each) <= 2_048 },
    },
  ]
}

function streaming(rounds: readonly Round[]): Measured {
  const streams = rounds.map(({ stream }) => stream)
  const ours = streams.map(({ perSecond }) => perSecond)
  const first = medianOf(streams.map(({ firstTime }) => firstTime))
  return {
    what: 'different events on one thread, parsed and matched',
    unit: 'events/s',
    ours: ours.map(Math.round),
    peer: {
      name: 'JSON.parse alone',
      figures: streams.map(({ parsedPerSecond }) => Math.round(parsedPerSecond)),
    },
    goal: { text: '≥ 10,000/s', reached: medianOf(ours) >= 10_000 },
    note: `${numberText(Math.round(first))}/s the first time, when each compiles what it finds; ${numberText(streams[0]?.matches ?? 0)} matches each`,
  }
}

function crowded(rounds: readonly Sized[]): Measured[] {
  const first = rounds.map(({ index }) => index.firstMs)
  const later = rounds.map(({ index }) => index.us / 1000)
  const { candidates } = rounds.at(-1)?.index ?? {}
  return [
    {
      what: '5 % share the type: the first event',
      unit: 'ms',
      ours: first,
      goal: { text: '< 2 ms', reached: medianOf(first) < 2 },
      note: `${candidates?.first} candidates, compiled`,
    },
    {
      what: '5 % share the type: later events',
      unit: 'ms',
      ours: later,
      ...beside(rounds, ({ us }) => us / 1000),
      goal: { text: '< 2 ms', reached: medianOf(later) < 2 },
      note: `${candidates?.settled} candidates`,
    },
  ]
}

function otherOf(name: string, all: readonly (Sized | undefined)[]): Measured {
  const rounds = all.filter((one) => one !== undefined)
  return {
    what: `${name}, ${sizeOf(rounds)}`,
    unit: 'µs',
    ours: rounds.map(({ index }) => index.us),
    ...beside(rounds, ({ us }) => us),
    note: `${rounds.at(-1)?.index.candidates.settled} candidates`,
  }
}

function sizeOf([first]: readonly Sized[]): string {
  return `${numberText(first?.size ?? 0)} ${first?.size === 1 ? 'subscription' : 'subscriptions'}`
}

function beside(
  rounds: readonly Sized[],
  figure: (side: { readonly us: number; readonly bytes: number }) => number,
): Pick<Measured, 'peer'> {
  const figures = rounds.flatMap(({ brute }) => (brute ? [figure(brute)] : []))
  return { peer: { name: 'brute force', figures } }
}
