/** docs/guides/settings.md is made from the declarations: `npx vitest run test/house/settings -u` writes it anew. */
import { dispatcherSettings } from '@pacifica/dispatcher'
import { notificationsSettings } from '@pacifica/notifications'
import { settingsTable } from '@pacifica/platform'
import { expect, test } from 'vitest'

const PAGE = `# Settings

Each service reads its settings once, at the start: from the environment, then from an INI file (notifications alone),
then the defaults below. A mistake ends the start; all mistakes are told at once, one line each.

- An empty variable is not set. Durations: \`500ms\`, \`30s\`, \`10min\`, \`24h\`, \`5d\`, \`2w\`; a bare number is seconds.
  Sizes: \`64KiB\`, \`32MiB\`; a bare number is bytes.
- A secret may stand in a file that \`<NAME>_FILE\` names. It is never shown.
- A variable that begins with \`NOTIFICATIONS_\` and is not in the table is a mistake; so is an unknown key of the INI file.
- \`INI section.key\` is the place in the INI file of the Python service; [switch-from-python.md](switch-from-python.md) says
  how that file is read.

## notifications

${settingsTable(notificationsSettings)}
\`npm start\` (both services in one process) has some defaults of its own while notifications listens on loopback:
\`POLICY_URL\` allow-all, \`DEFAULT_USER\` default_user, \`TARGET_ALLOW\` loopback.

## dispatcher

${settingsTable(dispatcherSettings)}`

test('the guide lists the settings as they are', async () => {
  await expect(PAGE).toMatchFileSnapshot('../../docs/guides/settings.md')
})
