/** What was thrown, in words, for the messages of charts and their hosts. Never throws. */
export { messageOf as textOf } from '../../base/errors.ts'
