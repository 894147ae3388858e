/** Settings that are right and yet do not do what somebody may expect of them. */
import type { NotificationsConfig } from './config.ts'

export function notesOnSettings(config: NotificationsConfig): string[] {
  const notes: string[] = []
  if (config.backendUrl !== undefined)
    notes.push('backend_url is ignored: results are rows in the database')
  return notes
}
