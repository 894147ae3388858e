/** One event's way through a site, step by step; the first step that fails ends it. */
import type { Journey, Sample, Step } from './journey.ts'
import type { DemoSite } from './site.ts'
import { stepsOfTheEvent } from './steps-of-the-event.ts'
import { stepsOfTheTask } from './steps-of-the-task.ts'

export interface WalkOptions {
  readonly sample: Sample
  /** How long each step may take, in milliseconds. */
  readonly withinMs: number
  readonly print: (line: string) => void
}

const steps: readonly Step[] = [...stepsOfTheEvent, ...stepsOfTheTask]

/** Resolves to the name of the step that failed; undefined when all went well. */
export async function walk(
  site: DemoSite,
  { sample, withinMs, print }: WalkOptions,
): Promise<string | undefined> {
  const uploadsBefore = site.pacifica.ingest.uploads
  const journey: Journey = { ...site, sample, withinMs, uploadsBefore, subscription: '', event: '' }
  for (const { name, run } of steps) {
    try {
      print(`${name.padEnd(12)} ${await run(journey)}`)
    } catch (error) {
      print(`${name.padEnd(12)} FAILED: ${error instanceof Error ? error.message : error}`)
      return name
    }
  }
  return undefined
}
