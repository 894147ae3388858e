/** `%(name)s` and `%%` in values, as Python's configparser reads them (BasicInterpolation). */

export type Interpolated = { readonly text: string } | { readonly wrong: string }

/** As in Python: a value that still refers to others then refers to itself. */
const DEEPEST = 10

type LookUp = (name: string) => string | undefined

/** @param lookUp the value of another key, as it is written; undefined when there is none */
export function interpolate(value: string, lookUp: LookUp, depth = 1): Interpolated {
  if (depth > DEEPEST) return { wrong: 'refers to itself through %(…)s' }
  let text = ''
  for (const piece of value.split(/(%%|%\([^)]*\)s|%)/)) {
    const read = readPiece(piece, lookUp, depth)
    if ('wrong' in read) return read
    text += read.text
  }
  return { text }
}

function readPiece(piece: string, lookUp: LookUp, depth: number): Interpolated {
  if (!piece.startsWith('%')) return { text: piece }
  if (piece === '%%') return { text: '%' }
  const name = /^%\((.*)\)s$/.exec(piece)?.[1]
  if (name === undefined) return { wrong: "a single '%' must be written '%%'" }
  const other = lookUp(name)
  if (other === undefined) return { wrong: `refers to %(${name})s, which is not there` }
  return interpolate(other, lookUp, depth + 1)
}
