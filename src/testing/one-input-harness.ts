/** Harnesses for functions with one input: ProcessFunction and KeyedProcessFunction. */
import type { KeyOf } from '../api/key-of.ts'
import type { KeyedProcessFunction, ProcessFunction, RuntimeContext } from '../operators/functions.ts'
import { keyedProcessOperator } from '../operators/keyed-process.ts'
import { processOperator } from '../operators/process.ts'
import { Harness, type HarnessOptions, type Opening, type OperatorSpec } from './harness.ts'
import type { OneInputItem } from './verify-items.ts'
import { type Verification, type Verified, verifyFunction } from './verify-operator.ts'

/** What is run: the function, as a program gives it. */
export interface OneInputFunction<T, R> {
  /** As given to `process`: called once for each subtask. */
  readonly create: (context: RuntimeContext) => ProcessFunction<T, R>
}

export interface OneInputHarnessOptions<T, R> extends OneInputFunction<T, R>, HarnessOptions {}

/** Runs a ProcessFunction. With several subtasks each gets a record in turn. */
export class OneInputHarness<T, R = never> extends Harness<R> {
  /** Throws TEST_MISUSE where `open` of the function returns a promise: use the static `open`. */
  constructor(options: OneInputHarnessOptions<T, R>, opening: Opening = 'at once') {
    super({ harness: 'OneInputHarness', ...unkeyed(options), options }, opening)
  }

  /**
   * Runs the function in every way in which a job may run it, and rejects with VERIFICATION_FAILED where one of them comes
   * to another result: see `verifyOperator`.
   */
  static verify<T, R = never>(
    options: OneInputFunction<T, R>,
    verification: Verification<OneInputItem<NoInfer<T>>>,
  ): Promise<Verified<R>> {
    return verifyFunction<R>({ ...verification, ...unkeyed(options), name: 'OneInputHarness' })
  }

  /** Resolves when the functions are open. */
  static open<T, R = never>(options: OneInputHarnessOptions<T, R>): Promise<OneInputHarness<T, R>> {
    return new OneInputHarness(options, 'awaited').untilOpen()
  }

  /** Throws what the function throws. */
  processElement(value: T, timestamp?: number): void {
    this.record(0, value, timestamp)
  }

  /** To every subtask. Throws TEST_MISUSE for one that goes back. */
  processWatermark(ms: number): void {
    this.watermark(0, ms)
  }

  /** The input has nothing to send for now, or again has. */
  processWatermarkStatus(idle: boolean): void {
    this.status(0, idle)
  }
}

/** What is run: the function, as a program gives it. */
export interface KeyedOneInputFunction<T, K, R> {
  /** As given to `process` of a keyed stream: called once for each subtask. */
  readonly create: (context: RuntimeContext) => KeyedProcessFunction<K, T, R>
  /** As given to `keyBy`. */
  readonly keyBy: (value: T) => K & KeyOf<K>
}

export interface KeyedOneInputHarnessOptions<T, K, R> extends KeyedOneInputFunction<T, K, R>, HarnessOptions {}

/** Runs a KeyedProcessFunction. With several subtasks each key goes to the one that has its key group. */
export class KeyedOneInputHarness<T, K, R = never> extends Harness<R> {
  /** Throws TEST_MISUSE where `open` of the function returns a promise: use the static `open`. */
  constructor(options: KeyedOneInputHarnessOptions<T, K, R>, opening: Opening = 'at once') {
    super({ harness: 'KeyedOneInputHarness', ...keyed<T, K, R>(options), options }, opening)
  }

  /**
   * Runs the function in every way in which a job may run it, and rejects with VERIFICATION_FAILED where one of them comes
   * to another result: see `verifyOperator`.
   */
  static verify<T, K, R = never>(
    options: KeyedOneInputFunction<T, K, R>,
    verification: Verification<OneInputItem<NoInfer<T>>>,
  ): Promise<Verified<R>> {
    return verifyFunction<R>({ ...verification, ...keyed<T, K, R>(options), name: 'KeyedOneInputHarness' })
  }

  /** Resolves when the functions are open. */
  static open<T, K, R = never>(options: KeyedOneInputHarnessOptions<T, K, R>): Promise<KeyedOneInputHarness<T, K, R>> {
    return new KeyedOneInputHarness(options, 'awaited').untilOpen()
  }

  /** Throws what the function throws. */
  processElement(value: T, timestamp?: number): void {
    this.record(0, value, timestamp)
  }

  /** To every subtask: timers up to it fire. Throws TEST_MISUSE for one that goes back. */
  processWatermark(ms: number): void {
    this.watermark(0, ms)
  }

  /** The input has nothing to send for now, or again has. */
  processWatermarkStatus(idle: boolean): void {
    this.status(0, idle)
  }
}

function unkeyed<T, R>({ create }: OneInputFunction<T, R>): OperatorSpec {
  return { operator: processOperator(create), dealings: [{ type: 'inTurn' }] }
}

interface KeyedFunction<T, K, R> {
  readonly create: (context: RuntimeContext) => KeyedProcessFunction<K, T, R>
  readonly keyBy: (value: T) => K
}

function keyed<T, K, R>({ create, keyBy }: KeyedFunction<T, K, R>): OperatorSpec {
  return { operator: keyedProcessOperator(keyBy, create), dealings: [{ type: 'byKey', keySelector: keyBy }] }
}
