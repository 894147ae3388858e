/** The events of a run, by number, written so that whoever parses and prints them again is found out. */

/** What a subscription can select by: a number from 0 to 7. */
export const laneOf = (number: number): number => number % 8
/** Every sixteenth event is of a type that nobody subscribes to. */
export const isWanted = (number: number): boolean => number % 16 !== 15

export const eventId = (number: number): string => `faults.${number}`

export function eventText(number: number): string {
  const type = isWanted(number) ? 'org.pacifica.metadata.ingest' : 'org.pacifica.metadata.nobody'
  return `{"cloudEventsVersion":"0.1" ,"eventType": "${type}",
 "source":"http://metadata.pacifica.org/transactions?_id=${number}", "eventID":"${eventId(number)}",
 "eventTime": "2019-01-09T09:17:26", "extensions": { "run" : 1.0 },"contentType":"application/json",
 "data": [ {"destinationTable":"Transactions._id","value":${number}},
  {"destinationTable": "Transactions.project", "value": "1234é \\u00e9"},
  {"destinationTable":"TransactionKeyValue","key":"lane","value":"lane-${laneOf(number)}"},
  {"destinationTable":"Files","_id":${number}.0,"name":"ü.txt","subdir":"a/b","size":12345678901234567890,
   "hashtype":"sha1","hashsum":"f1d2d2f924e986ac86fdf7b36c94bcdf32beec15","mimetype":"text/plain"} ]}\n`
}
