/** Time and memory against the number of subscriptions, the index beside brute force, as SVG. */
import { type EChartsOption, init } from 'echarts'
import { medianOf, numberText } from './figures.ts'
import type { Measured } from './row.ts'

interface Panel {
  readonly title: string
  readonly unit: string
  /** From the left edge. */
  readonly left: number
  readonly cases: readonly Measured[]
}

const [WIDTH, HEIGHT] = [930, 400]
/** Both read on white and on black, and by those who do not tell red from green. */
const [OURS, PEER] = ['#2f81f7', '#d9730d']
const QUIET = '#808890'
const FONT = 'system-ui, Helvetica, Arial, sans-serif'

/** Of the cases that say where they stand, those in µs and those in MiB. */
export function matchingPlot(measured: readonly Measured[]): string {
  const placed = measured.filter(({ at }) => at !== undefined)
  const of = (unit: string) => placed.filter((one) => one.unit === unit)
  const panels: readonly Panel[] = [
    { title: 'µs to match one event', unit: 'µs', left: 90, cases: of('µs') },
    { title: 'MiB of heap', unit: 'MiB', left: 560, cases: of('MiB') },
  ]
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT })
  try {
    chart.setOption(optionOf(panels))
    return `${chart.renderToSVGString()}\n`
  } finally {
    chart.dispose()
  }
}

function optionOf(panels: readonly Panel[]): EChartsOption {
  const peerName = panels.flatMap(({ cases }) => cases).find(({ peer }) => peer)?.peer?.name
  return {
    animation: false,
    textStyle: { fontFamily: FONT, fontSize: 13, color: QUIET },
    legend: {
      top: 8,
      itemGap: 28,
      textStyle: { color: QUIET, fontSize: 14 },
      data: ['index', peerName ?? ''],
    },
    title: panels.map(({ title, left }) => ({
      text: title,
      top: 40,
      left: left - 10,
      textStyle: { color: QUIET, fontSize: 14, fontWeight: 600 },
    })),
    grid: panels.map(({ left }) => ({ left, top: 80, width: 330, height: 250 })),
    xAxis: panels.map((_, gridIndex) => ({
      ...axis('subscriptions'),
      gridIndex,
      nameGap: 32,
      min: 1,
      max: 100_000,
    })),
    yAxis: panels.map(({ cases }, gridIndex) => ({ ...axis(''), gridIndex, min: floorOf(cases) })),
    series: panels.flatMap((panel, at) => [
      line(panel, at, { name: 'index', color: OURS, figures: ({ ours }) => ours }),
      line(panel, at, {
        name: peerName ?? '',
        color: PEER,
        figures: ({ peer }) => peer?.figures ?? [],
      }),
    ]),
  }
}

function axis(name: string) {
  return {
    type: 'log' as const,
    name,
    nameLocation: 'middle' as const,
    nameTextStyle: { color: QUIET, fontSize: 13 },
    axisLabel: { color: QUIET, fontSize: 13, formatter: (value: number) => numberText(value) },
    axisLine: { show: true, lineStyle: { color: QUIET } },
    splitLine: { lineStyle: { color: QUIET, opacity: 0.25 } },
  }
}

/** A power of ten that leaves room for what is written below the least point. */
function floorOf(cases: readonly Measured[]): number {
  const least = Math.min(...cases.flatMap(({ ours, peer }) => [...ours, ...(peer?.figures ?? [])]))
  return 10 ** Math.floor(Math.log10(least / 3))
}

interface LineOptions {
  readonly name: string
  readonly color: string
  readonly figures: (measured: Measured) => readonly number[]
}

function line({ cases }: Panel, at: number, { name, color, figures }: LineOptions) {
  const points = cases.filter((one) => figures(one).length > 0)
  return {
    type: 'line' as const,
    name,
    xAxisIndex: at,
    yAxisIndex: at,
    data: points.map((one) => {
      const value = medianOf(figures(one))
      return { value: [one.at ?? 0, value], label: { show: true, ...besidePoint(one, value) } }
    }),
    color,
    lineStyle: { width: 2.5 },
    symbol: 'circle',
    symbolSize: 9,
    label: {
      color,
      fontSize: 12,
      formatter: ({ value }: { value: unknown }) => numberText((value as number[])[1] ?? 0),
    },
  }
}

/** The greater of the two is written above its point, the lesser below; the first a little aside of the axis. */
function besidePoint({ at, ours, peer }: Measured, value: number) {
  const isGreater = value >= Math.max(medianOf(ours), medianOf(peer?.figures ?? [0]))
  const aside = isGreater ? 16 : 22
  const offset = [at === 1 ? aside : 0, 0]
  return { position: isGreater ? ('top' as const) : ('bottom' as const), distance: 8, offset }
}
