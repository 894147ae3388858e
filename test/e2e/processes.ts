/** The processes of this machine that carry a text in their environment: what a run has started, and all that this has. */
import { readdir, readFile } from 'node:fs/promises'

export async function processesWith(text: string): Promise<number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found: number[] = []
  for (const name of names) {
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '')
    if (environment.includes(text)) found.push(Number(name))
  }
  return found
}

/** Resolves when there is none; rejects when there still is one after `withinMs`. */
export async function untilNoProcessHas(text: string, withinMs = 120_000): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    const found = await processesWith(text)
    if (found.length === 0) return
    if (performance.now() > end) throw new Error(`still there with ${text}: ${found.join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
