// Opens a job in a checkpoint directory and says how that ended, as one line of JSON; holds it until it is told to publish.
// Arguments: directory, takeover (yes or no).
import { createInterface } from 'node:readline'
import { systemPorts } from '../../../dist/src/base/system-ports.js'
import { openJob } from '../../../dist/src/checkpoint/job-directory.js'

const [directory, takeover] = process.argv.slice(2)
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const options = { ports: systemPorts(), directory, name: 'held', fixedJobId: '0'.repeat(32), graphHash: 'g' }
try {
  const job = await openJob({ ...options, resume: 'latest', takeover: takeover === 'yes' })
  say({ opened: job.epoch, start: job.start.kind })
  let checkpointId = job.nextCheckpointId
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'close') {
      await job.storage.close()
      break
    }
    const metadata = {
      jobId: job.jobId,
      jobName: 'held',
      epoch: job.epoch,
      checkpointId,
      kind: 'checkpoint',
      timestamp: 1,
      operators: [],
    }
    try {
      await job.storage.publish(metadata)
      say({ published: checkpointId++ })
    } catch (error) {
      say({ refused: error.code })
    }
  }
  say({ ended: true })
} catch (error) {
  say({ refused: error.code, message: error.message })
}
