/** `npm run demo`: exits with 0 when one event went all the way, else with 1 and the name of the step that failed. */
import { fileURLToPath } from 'node:url'
import { runDemo } from './run-demo.ts'

/** Beside src/ and dist/ alike. */
const folder = fileURLToPath(new URL('../../sample', import.meta.url))

/** The files of a transaction with this key-value: what the example dispatcher is for. */
const jsonpath = '$["data"][*][?(@["key"] = "example-key" and @["value"] = "example-value")]'

const failed = await runDemo({
  env: process.env,
  sample: { folder, jsonpath },
  withinMs: 60_000,
  print: (line) => console.log(line),
})
if (failed !== undefined) {
  console.error(`The demo failed at the step '${failed}'.`)
  process.exitCode = 1
}
