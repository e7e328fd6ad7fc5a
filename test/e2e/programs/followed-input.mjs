/** What the followed job, the one who feeds it and the verifier agree on: lines, times and names. Knows no engine. */

/** Event-time windows of a key. */
const WINDOW_MS = 500
/** A timestamp may lie so far behind the highest one before it in its file: the bound of the watermarks. */
export const LAG_MS = 120
/** Every so many records of a key, an answer by a processing-time timer is due. */
export const TICKET_EVERY = 5
/** Behind all records. A key's last timer is set to this plus the number of its records. */
export const FAREWELL_MS = 4e11
/** Behind all timers: marks at this time and later end the event time of a file. */
export const END_MS = 5e11
/** Files whose names begin so are there from the start: nothing in them may be late that keeps to LAG_MS. */
export const FROM_THE_START = 'a'

export function windowEnd(atMs) {
  return (Math.floor(atMs / WINDOW_MS) + 1) * WINDOW_MS
}

/** Some are due while the job is dead. */
export function ticketDelayMs(value) {
  return [1, 5, 20, 60, 400][value % 5]
}

/** Commas, quotes and line ends have to come back from CSV as they were. */
const NOTES = ['', 'plain', 'a,b', 'she said "no"', 'two\nlines', 'é€😀', ' blank around ', 'cr\r\nlf', '"', '0']

export function noteOf(value) {
  return NOTES[value % NOTES.length]
}
