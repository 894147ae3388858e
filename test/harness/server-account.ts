import { execFileSync } from 'node:child_process'

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** Whom a server runs as when we are root, which it refuses to be or should not be: the first account that exists. */
export function serverAccount(names: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of names) {
    try {
      return { uid: numberOf('-u', name), gid: numberOf('-g', name) }
    } catch {}
  }
  throw new Error(`No server is run as root, and there is no account ${names.join(' or ')}.`)
}

function numberOf(what: '-u' | '-g', name: string): number {
  return Number(execFileSync('id', [what, name], { stdio: 'pipe' }).toString())
}
