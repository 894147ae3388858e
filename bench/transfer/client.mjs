/**
 * Our side of the row `transfer`, in a process of its own, so that its memory can be told; plain JavaScript, since
 * what loads TypeScript would be weighed too. `download URL FOLDER LIST` or `upload URL FOLDER`.
 */
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { File, RemoteDownloaderRunner, RemoteUploaderRunner, Transaction } from '@pacifica/core'

const [, , what, url, folder, list] = process.argv
const started = performance.now()
if (what === 'download') {
  const files = JSON.parse(await readFile(list, 'utf8')).map(
    ({ id, path, size, hashsum }) =>
      new File({
        _id: id,
        name: basename(path),
        subdir: dirname(path),
        size,
        hashsum,
        hashtype: 'sha1',
      }),
  )
  await new RemoteDownloaderRunner(url).download(folder, files)
} else {
  const subject = { transaction: new Transaction({ submitter: 10 }), keyValues: [] }
  await new RemoteUploaderRunner(url).upload(folder, subject)
}
const seconds = (performance.now() - started) / 1000
console.log(JSON.stringify({ seconds, maxRssKiB: process.resourceUsage().maxRSS }))
