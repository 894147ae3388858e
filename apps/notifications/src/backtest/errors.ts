/** What can be wrong with a request about backtests, beside its draft. */

export class BacktestNotFoundError extends Error {
  readonly code = 'BACKTEST_NOT_FOUND'
  constructor(uuid: string) {
    super(`you have no backtest ${uuid}; GET /eventmatch/backtest lists those you have`)
  }
}

/** There are as many under way as there may be. */
export class BacktestLimitError extends Error {
  readonly code = 'BACKTEST_LIMIT'
  readonly retryAfterS = 60
  constructor(which: 'yours' | 'all', count: number) {
    super(
      which === 'yours'
        ? `you have ${count} backtests that have not ended, which is as many as you may have: wait for one, or end one ` +
            'with DELETE /eventmatch/backtest/UUID'
        : `the site has ${count} backtests that have not ended, which is as many as there may be: try again later`,
    )
  }
}
