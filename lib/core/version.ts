/** Version of the running code, recorded with every cycle. A test keeps it equal to package.json's. */
export const VERSION = '0.1.0'
