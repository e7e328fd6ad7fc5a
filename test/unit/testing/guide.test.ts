/** The code of docs/guides/testing.md is run: it registers its own tests. */
import '../../../examples/testing/alarms.test.ts'
