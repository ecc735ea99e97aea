namespace WeakLink.Comparisons;

/// <summary>Student's t distribution, of which intervals of means need one number.</summary>
internal static class StudentT
{
    // Lanczos' approximation of log Γ with g = 5 (Press et al., Numerical Recipes, section 6.1): relative error below 2e-10.
    private static readonly double[] Lanczos = [76.18009172947146, -86.50532032941677, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2, -0.5395239384953e-5];

    /// <summary>How far from 0 a t variable is with the given probability at most, in either direction: 12.706 for 0.95 and one degree of freedom.</summary>
    /// <param name="confidence">The probability, in (0, 1).</param>
    /// <param name="degreesOfFreedom">Above 0; need not be whole (Welch).</param>
    public static double TwoSided(double confidence, double degreesOfFreedom)
    {
        // P(|T| > t) = I_x(ν/2, 1/2) with x = ν / (ν + t²) grows with x.
        double low = 0, high = 1;
        while (true)
        {
            var middle = low + ((high - low) / 2);
            if (middle <= low || middle >= high)
            {
                return Math.Sqrt(degreesOfFreedom * (1 - middle) / middle);
            }

            (low, high) = IncompleteBeta(middle, degreesOfFreedom / 2, 0.5) < 1 - confidence ? (middle, high) : (low, middle);
        }
    }

    /// <summary>The regularised incomplete beta function I_x(a, b).</summary>
    private static double IncompleteBeta(double x, double a, double b)
    {
        var front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + (a * Math.Log(x)) + (b * Math.Log(1 - x)));
        // The fraction converges fast on one side of the mean, and the function is symmetric.
        return x < (a + 1) / (a + b + 2) ? front * Fraction(x, a, b) / a : 1 - (front * Fraction(1 - x, b, a) / b);
    }

    /// <summary>Its continued fraction, from the front (Lentz 1976).</summary>
    private static double Fraction(double x, double a, double b)
    {
        const double Tiny = 1e-300;
        double c = 1, d = 1 / NotZero(1 - ((a + b) * x / (a + 1))), value = d;
        for (var m = 1; m < 10_000; m++)
        {
            var even = m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)));
            (c, d) = (NotZero(1 + (even / c)), 1 / NotZero(1 + (even * d)));
            value *= c * d;
            var odd = -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1));
            (c, d) = (NotZero(1 + (odd / c)), 1 / NotZero(1 + (odd * d)));
            value *= c * d;
            if (Math.Abs((c * d) - 1) < 1e-15)
            {
                break;
            }
        }

        return value;

        static double NotZero(double number) => Math.Abs(number) < Tiny ? Tiny : number;
    }

    private static double LogGamma(double x)
    {
        var series = 1.000000000190015;
        for (var i = 0; i < Lanczos.Length; i++)
        {
            series += Lanczos[i] / (x + 1 + i);
        }

        var shifted = x + 5.5;
        return ((x + 0.5) * Math.Log(shifted)) - shifted + Math.Log(2.5066282746310005 * series / x);
    }
}
