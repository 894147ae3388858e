/** What the key-values say of the configurations cannot be used; the message lists all mistakes. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly code = 'PROXYMOD_CONFIGURATION'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(`the models cannot be configured: ${mistakes.join('; ')}`)
    this.mistakes = mistakes
  }
}

/** A model could not be run to its end. */
export class ModelFailedError extends Error {
  override readonly name = 'ModelFailedError'
  readonly code = 'PROXYMOD_MODEL'
  /** Its path in the transaction. */
  readonly model: string

  constructor(model: string, reason: string, options?: ErrorOptions) {
    super(`model ${model} failed: ${reason}`, options)
    this.model = model
  }
}
