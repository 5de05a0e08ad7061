package gateway

import (
	"context"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// mount binds the REST routes of one gRPC service to a connection.
type mount func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error

// bind makes a mount of the generated constructor and registration.
func bind[C any](
	client func(grpc.ClientConnInterface) C,
	register func(context.Context, *runtime.ServeMux, C) error,
) mount {
	return func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
		return register(ctx, mux, client(conn))
	}
}

// mounts lists the gRPC services behind the gateway, by the service of the
// suite that answers for them. Of two routes that fit a path the one that was
// mounted last wins, so a service with a verb on another's resource
// (programmes/*:explain) comes after the service that reads it (programmes/*).
var mounts = map[string][]mount{
	"catalogue": {
		bind(cataloguev1.NewAccessServiceClient, cataloguev1.RegisterAccessServiceHandlerClient),
		bind(cataloguev1.NewEventServiceClient, cataloguev1.RegisterEventServiceHandlerClient),
		bind(cataloguev1.NewIdeaServiceClient, cataloguev1.RegisterIdeaServiceHandlerClient),
		bind(cataloguev1.NewImportServiceClient, cataloguev1.RegisterImportServiceHandlerClient),
		bind(cataloguev1.NewJobProfileServiceClient, cataloguev1.RegisterJobProfileServiceHandlerClient),
		bind(cataloguev1.NewNeedServiceClient, cataloguev1.RegisterNeedServiceHandlerClient),
		bind(cataloguev1.NewOrganisationServiceClient, cataloguev1.RegisterOrganisationServiceHandlerClient),
		bind(cataloguev1.NewSearchServiceClient, cataloguev1.RegisterSearchServiceHandlerClient),
		bind(cataloguev1.NewServiceOfferingServiceClient, cataloguev1.RegisterServiceOfferingServiceHandlerClient),
		bind(cataloguev1.NewSolutionServiceClient, cataloguev1.RegisterSolutionServiceHandlerClient),
		bind(cataloguev1.NewVocabularyServiceClient, cataloguev1.RegisterVocabularyServiceHandlerClient),
	},
	"matching": {
		bind(matchingv1.NewProgrammeServiceClient, matchingv1.RegisterProgrammeServiceHandlerClient),
		bind(matchingv1.NewMatchServiceClient, matchingv1.RegisterMatchServiceHandlerClient),
	},
	"projects": {
		bind(projectsv1.NewAlertServiceClient, projectsv1.RegisterAlertServiceHandlerClient),
		streamAlerts,
		bind(projectsv1.NewAlertRuleServiceClient, projectsv1.RegisterAlertRuleServiceHandlerClient),
		bind(projectsv1.NewBudgetServiceClient, projectsv1.RegisterBudgetServiceHandlerClient),
		bind(projectsv1.NewClaimServiceClient, projectsv1.RegisterClaimServiceHandlerClient),
		bind(projectsv1.NewExpenditureServiceClient, projectsv1.RegisterExpenditureServiceHandlerClient),
		bind(projectsv1.NewCalendarServiceClient, projectsv1.RegisterCalendarServiceHandlerClient),
		bind(projectsv1.NewDashboardServiceClient, projectsv1.RegisterDashboardServiceHandlerClient),
		bind(projectsv1.NewExportServiceClient, projectsv1.RegisterExportServiceHandlerClient),
		bind(projectsv1.NewFileServiceClient, projectsv1.RegisterFileServiceHandlerClient),
		mountUpload,
		bind(projectsv1.NewEarnedValueServiceClient, projectsv1.RegisterEarnedValueServiceHandlerClient),
		bind(projectsv1.NewGateServiceClient, projectsv1.RegisterGateServiceHandlerClient),
		bind(projectsv1.NewProjectImportServiceClient, projectsv1.RegisterProjectImportServiceHandlerClient),
		bind(projectsv1.NewLessonServiceClient, projectsv1.RegisterLessonServiceHandlerClient),
		bind(projectsv1.NewPlanServiceClient, projectsv1.RegisterPlanServiceHandlerClient),
		bind(projectsv1.NewProjectServiceClient, projectsv1.RegisterProjectServiceHandlerClient),
		bind(projectsv1.NewResourceServiceClient, projectsv1.RegisterResourceServiceHandlerClient),
		bind(projectsv1.NewRiskServiceClient, projectsv1.RegisterRiskServiceHandlerClient),
		bind(projectsv1.NewRuleSetServiceClient, projectsv1.RegisterRuleSetServiceHandlerClient),
		bind(projectsv1.NewScheduleServiceClient, projectsv1.RegisterScheduleServiceHandlerClient),
		bind(projectsv1.NewIssueServiceClient, projectsv1.RegisterIssueServiceHandlerClient),
		bind(projectsv1.NewDecisionServiceClient, projectsv1.RegisterDecisionServiceHandlerClient),
		bind(projectsv1.NewChangeServiceClient, projectsv1.RegisterChangeServiceHandlerClient),
		bind(projectsv1.NewCommunicationServiceClient, projectsv1.RegisterCommunicationServiceHandlerClient),
		bind(projectsv1.NewProcurementServiceClient, projectsv1.RegisterProcurementServiceHandlerClient),
		bind(projectsv1.NewQualityServiceClient, projectsv1.RegisterQualityServiceHandlerClient),
		bind(projectsv1.NewResponsibilityServiceClient, projectsv1.RegisterResponsibilityServiceHandlerClient),
		bind(projectsv1.NewTrailServiceClient, projectsv1.RegisterTrailServiceHandlerClient),
	},
	"training": {
		bind(trainingv1.NewAttendanceServiceClient, trainingv1.RegisterAttendanceServiceHandlerClient),
		bind(trainingv1.NewCertificateServiceClient, trainingv1.RegisterCertificateServiceHandlerClient),
		bind(trainingv1.NewCourseServiceClient, trainingv1.RegisterCourseServiceHandlerClient),
		bind(trainingv1.NewEditionServiceClient, trainingv1.RegisterEditionServiceHandlerClient),
		bind(trainingv1.NewEnrolmentServiceClient, trainingv1.RegisterEnrolmentServiceHandlerClient),
		bind(trainingv1.NewInterestServiceClient, trainingv1.RegisterInterestServiceHandlerClient),
		bind(trainingv1.NewLearnerServiceClient, trainingv1.RegisterLearnerServiceHandlerClient),
		bind(trainingv1.NewSessionServiceClient, trainingv1.RegisterSessionServiceHandlerClient),
		bind(trainingv1.NewStatisticsServiceClient, trainingv1.RegisterStatisticsServiceHandlerClient),
	},
	"impact": {
		bind(impactv1.NewIndicatorServiceClient, impactv1.RegisterIndicatorServiceHandlerClient),
		bind(impactv1.NewMeasurementServiceClient, impactv1.RegisterMeasurementServiceHandlerClient),
		bind(impactv1.NewRollUpServiceClient, impactv1.RegisterRollUpServiceHandlerClient),
		bind(impactv1.NewTheoryServiceClient, impactv1.RegisterTheoryServiceHandlerClient),
	},
}
