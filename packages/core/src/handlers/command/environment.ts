/** What an executable sees of the environment. Pure. */

/** What programs need to run and to speak a language, and the mark by which a dispatcher finds a task's processes. */
const ALWAYS = ['PATH', 'HOME', 'LANG', 'TZ', 'SystemRoot', 'PACIFICA_TASK_PROCESS']

/** In the environment of everything that one run started: how it is found when it has left its process group. */
export const RUN_VARIABLE = 'PACIFICA_COMMAND_RUN'

export interface EnvironmentOptions {
  readonly environment?: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
}

export interface RunNames {
  readonly taskId: string
  /** Another for each run. */
  readonly run: string
  readonly temporary: string
}

/** The author's names and values go before ours; only the run's own mark is always ours. */
export function environmentFor(
  own: Readonly<Record<string, string | undefined>>,
  { environment = [], variables = {} }: EnvironmentOptions,
  { taskId, run, temporary }: RunNames,
): Record<string, string> {
  const seen = (names: readonly string[]) =>
    names.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]] as const]))
  return {
    ...Object.fromEntries(seen(ALWAYS)),
    TMPDIR: temporary,
    PACIFICA_TASK_ID: taskId,
    ...Object.fromEntries(seen(environment)),
    ...variables,
    [RUN_VARIABLE]: run,
  }
}
