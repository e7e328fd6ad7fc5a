/** Reads all metrics of a REST server whenever its parent says so, and answers with how long that took. Ends with its parent. */
const [, , url, jobId] = process.argv

process.on('disconnect', () => process.exit(0))
process.on('message', async () => {
  const startedMs = performance.now()
  const answer = await fetch(`${url}/metrics/prometheus`)
  const text = await answer.text()
  if (answer.status !== 200 || !text.includes(jobId)) throw new Error(`no metrics of the job: ${answer.status}`)
  process.send({ ms: performance.now() - startedMs })
})
