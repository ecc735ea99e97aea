// libtorch uses all cores by itself, and some tests count live tensors, which are the whole process's.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
