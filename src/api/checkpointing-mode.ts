/** Flink's enumeration, as values that are string literals. */
export const CheckpointingMode = {
  EXACTLY_ONCE: 'EXACTLY_ONCE',
  AT_LEAST_ONCE: 'AT_LEAST_ONCE',
} as const

export type CheckpointingMode = (typeof CheckpointingMode)[keyof typeof CheckpointingMode]
