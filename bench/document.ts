/** docs/benchmarks.md: what stands between the markers is written by a run, all else by people. */

const BEGIN = '<!-- written by npm run bench -- --write -->'
const END = '<!-- until here -->'

export class MarkerError extends Error {
  readonly code = 'BENCHMARKS_MARKERS'
}

export function withTable(text: string, table: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin === -1 || end < begin)
    throw new MarkerError(`docs/benchmarks.md needs a line '${BEGIN}' and below it '${END}'`)
  return `${text.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${text.slice(end)}`
}
