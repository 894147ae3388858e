/** Which rows there are: a file each, in the order in which an event meets what they measure. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const ORDER = [
  ...['accept', 'pipeline', 'burst', 'hanging-target', 'matching', 'rfc9535', 'rabbitmq'],
  ...['transfer', 'durability'],
]

export function rowNames(): string[] {
  const names = readdirSync(join(import.meta.dirname, 'rows'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
  return names.sort((one, other) => placeOf(one) - placeOf(other) || one.localeCompare(other))
}

/** Others come last. */
function placeOf(name: string): number {
  const place = ORDER.indexOf(name)
  return place === -1 ? ORDER.length : place
}
