/** One mistake in the configuration, as one line. */
export interface ConfigMistake {
  /** The variable, or `[section] key` of the INI file. */
  readonly name: string
  readonly message: string
}

/** All mistakes in the configuration, at once. The message has one line for each. */
export class ConfigError extends Error {
  readonly code = 'CONFIG'
  readonly mistakes: readonly ConfigMistake[]
  constructor(mistakes: readonly ConfigMistake[]) {
    super(mistakes.map(({ name, message }) => `${name}: ${message}`).join('\n'))
    this.mistakes = mistakes
  }
}
