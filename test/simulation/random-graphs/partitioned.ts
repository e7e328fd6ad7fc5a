/** Each partitioner of a plan, through the public door. Those of users partition by what is in the row alone. */
import type { DataStream } from '../../../src/index.ts'
import type { Partitioner } from './plan.ts'
import { mix, type Row } from './records.ts'
import type { Trouble } from './trouble.ts'

export function partitioned(stream: DataStream<Row>, partitioner: Partitioner, trouble: Trouble): DataStream<Row> {
  switch (partitioner) {
    case 'none':
      return stream
    case 'rebalance':
      return stream.rebalance()
    case 'rescale':
      return stream.rescale()
    case 'shuffle':
      return stream.shuffle()
    case 'global':
      return stream.global()
    case 'forward':
      return stream.forward()
    case 'broadcast':
      return stream.broadcast()
    case 'custom':
      return stream.partitionCustom((row, count) => {
        trouble.call('partitioner')
        return (mix(row.id, 5) >>> 0) % count
      })
    case 'customKey':
      return stream.partitionCustom(
        (s: number, count) => s % count,
        (row) => row.s,
      )
  }
}
