import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const RUNNER = fileURLToPath(new URL('./run-typescript.mjs', import.meta.url))

/** Runs a TypeScript file from source in a process of its own; there, `process.argv[3]` is the first of `args`. */
export function spawnTypeScript(
  file: URL,
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
): ChildProcess {
  return spawn(process.execPath, [...nodeArgs, RUNNER, fileURLToPath(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** The lines a process prints, as they come; ends when it ends. */
export async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of child.stdout ?? []) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
