/**
 * What must be faster than `timeout` between two steps and slower than it as a whole, tried with longer and longer ones:
 * a busy machine may be slow at every step.
 */
export async function onBusyMachinesToo<T>(work: (timeout: number) => Promise<T>): Promise<T> {
  for (let timeout = 400; ; timeout *= 5) {
    try {
      return await work(timeout)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'TRANSFER_TIMEOUT' || timeout > 20_000) throw error
    }
  }
}
