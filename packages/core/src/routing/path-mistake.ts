import { JsonPathLimitError, JsonPathSyntaxError } from '@pacifica/jsonpath'

/** What is wrong with an author's path, with its place. Throws what is no mistake of theirs. */
export function pathMistake(error: unknown, place: string): string {
  if (!(error instanceof JsonPathSyntaxError || error instanceof JsonPathLimitError)) throw error
  const hint = error.hint === undefined ? '' : ` (${error.hint})`
  return `${place}: ${error.message}${hint}`
}
