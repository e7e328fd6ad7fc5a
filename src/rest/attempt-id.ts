/** The name of one attempt of one subtask, as Flink writes an ExecutionAttemptID. */

/** `attempt` counts from 0. A job has one execution graph, which is called as the job is. */
export function attemptId(jobId: string, vertexId: string, subtask: number, attempt: number): string {
  return `${jobId}_${vertexId}_${subtask}_${attempt}`
}
